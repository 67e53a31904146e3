import { join } from "node:path"
import { isClean, type LabelledPayload, readLabelledFile } from "../evaluation/labelled-payloads.ts"
import { GENERATOR_VERSION, generatePayloads } from "../generators/payloads.ts"

export interface TrainingRows {
  /** What is learnt from: the collected rows, then the generated ones, as for the linear tier. */
  readonly rows: readonly LabelledPayload[]
  /** What is judged: rows of sources that were not learnt from; generated ones without data. */
  readonly judged: readonly LabelledPayload[]
  readonly judgedName: "validate" | "generated"
}

const FRESH_COUNT = 5_000
/** Far from any seed that training is likely to be given. */
const FRESH_SEED_OFFSET = 1_000_003

/**
 * The rows of one training run.
 *
 * @param dataDir folder with `train.jsonl.gz` and `validate.jsonl.gz`; without it the generators
 *   alone are learnt from
 * @throws MalformedError for a row of the data that is none
 */
export async function readTrainingRows(options: {
  readonly dataDir?: string
  readonly seed: number
  readonly generated: number
}): Promise<TrainingRows> {
  const { dataDir, seed, generated } = options
  const collected =
    dataDir === undefined ? [] : await readLabelledFile(join(dataDir, "train.jsonl.gz"))
  const rows = [...collected.filter(isClean), ...generatePayloads({ seed, count: generated })]
  const unseen = await readUnseen(dataDir, new Set(collected.map(({ source }) => source)))
  if (unseen !== undefined) return { rows, judged: unseen, judgedName: "validate" }
  const fresh = generatePayloads({ seed: seed + FRESH_SEED_OFFSET, count: FRESH_COUNT })
  return { rows, judged: [...fresh], judgedName: "generated" }
}

async function readUnseen(
  dataDir: string | undefined,
  known: ReadonlySet<string>,
): Promise<readonly LabelledPayload[] | undefined> {
  if (dataDir === undefined) return undefined
  const file = join(dataDir, "validate.jsonl.gz")
  if (!(await Bun.file(file).exists())) return undefined
  const rows = await readLabelledFile(file)
  return rows.filter(({ source }) => !known.has(source))
}

/** sha256 (hex) over rows in their order, and over the version of the generators. */
export function digestOf(rows: readonly LabelledPayload[]): string {
  const hasher = new Bun.CryptoHasher("sha256").update(`generators ${GENERATOR_VERSION}\n`)
  for (const { text, label, source } of rows) hasher.update(JSON.stringify([text, label, source]))
  return hasher.digest("hex")
}
