import { join } from "node:path"
import {
  isClean,
  type LabelledPayload,
  readLabelledFile,
} from "../../src/ml/evaluation/labelled-payloads.ts"
import { RowSample } from "../../src/ml/evaluation/row-sample.ts"
import { generatePayloads } from "../../src/ml/generators/payloads.ts"
import { Random } from "../../src/ml/random.ts"

export interface DetectionRows {
  /** What they are, for whoever reads the result. */
  readonly name: string
  readonly rows: readonly LabelledPayload[]
  /** What the peers that learn are trained on; the shipped model was trained on these too. */
  readonly training: readonly LabelledPayload[]
}

/** Of training, and of rows that nothing was trained on. */
const SEEDS = { training: 1, heldOut: 20_261_124 } as const
const GENERATED_TRAINING = 80_000
const GENERATED_ROWS = 10_000
/** Of each of attacks and benign rows. */
const QUICK_ROWS_MAX = 400
const ROWS_MAX = 3_000

/**
 * Rows to judge: those of `validate.jsonl.gz` in SENTINEL_BENCH_DATA whose sources are not in its
 * `train.jsonl.gz`, else the generators' with a seed that training does not use. The latter flatter
 * every detector that was trained on the generators: compare only within one kind.
 */
export async function detectionRows(
  env: Readonly<Record<string, string | undefined>>,
  options: { readonly quick: boolean },
): Promise<DetectionRows> {
  const generated = [...generatePayloads({ seed: SEEDS.training, count: GENERATED_TRAINING })]
  const directory = env.SENTINEL_BENCH_DATA
  if (directory === undefined || directory === "") {
    const heldOut = generatePayloads({ seed: SEEDS.heldOut, count: GENERATED_ROWS })
    return { name: "generated", rows: drawn(heldOut, options), training: generated }
  }
  const collected = (await readLabelledFile(join(directory, "train.jsonl.gz"))).filter(isClean)
  const known = new Set(collected.map(({ source }) => source))
  const validate = await readLabelledFile(join(directory, "validate.jsonl.gz"))
  const unseen = validate.filter(({ source }) => !known.has(source))
  return {
    name: "validate",
    rows: drawn(unseen, options),
    training: [...collected, ...generated],
  }
}

/** A seeded sample in a seeded order: what is timed are the first rows. */
function drawn(
  rows: Iterable<LabelledPayload>,
  { quick }: { readonly quick: boolean },
): readonly LabelledPayload[] {
  const sample = new RowSample({ rowsMax: quick ? QUICK_ROWS_MAX : ROWS_MAX, seed: SEEDS.heldOut })
  for (const row of rows) sample.offer(row)
  const both = [...sample.attacks, ...sample.benign]
  const order = Int32Array.from(both.keys())
  new Random(SEEDS.heldOut).shuffle(order)
  return [...order].flatMap((index) => both[index] ?? [])
}
