import { resolve } from "node:path"
import { type Row, row } from "../harness.ts"
import type { Scale } from "./closed-loop.ts"
import { sentinel } from "./commands.ts"
import { failuresOf, type OpenLoopResult, runOpenLoop } from "./open-loop.ts"
import { median } from "./pairs.ts"
import { type ServerProcess, startServer } from "./process.ts"

const MAIN = resolve(import.meta.dir, "../../src/main.ts")
const CONNECTIONS = 64
/** Of saturation: a service that is used, with room for what else it has to do. */
const SHARE = 0.1
const P99_RATIO_MAX = 2
const STEPS = [1, 10, 100] as const

interface ChangeOptions extends Scale {
  /** Of sentinel, in answers per second. */
  readonly peak: number
  progress(line: string): void
}

/** What clients notice while models are trained, promoted and taken back. */
export async function changeRows(options: ChangeOptions): Promise<readonly Row[]> {
  await using server = await startServer(sentinel)
  const load = () =>
    runOpenLoop(server, { ...options, rate: options.peak * SHARE, connections: CONNECTIONS })
  await load() // the compiler's warm-up
  options.progress("training beside the server")
  const calm = [await load(), await load(), await load()]
  const training = startTraining(server)
  const beside: OpenLoopResult[] = []
  while (training.exitCode === null) beside.push(await load())
  if (training.exitCode !== 0) throw new Error(`training ended with ${training.exitCode}`)
  return [...changedRows("training", calm, beside), ...(await promotionRows(server, load, options))]
}

async function promotionRows(
  server: ServerProcess,
  load: () => Promise<OpenLoopResult>,
  { rounds, seconds, progress }: ChangeOptions,
): Promise<readonly Row[]> {
  const candidate = await findCandidate(server)
  const calm: OpenLoopResult[] = []
  const changed: OpenLoopResult[] = []
  let takenBack = 0
  for (let round = 0; round < rounds; round++) {
    progress(`promotion and rollback ${round + 1}`)
    calm.push(await load())
    const changing = load()
    for (const percent of STEPS) {
      await Bun.sleep((seconds * 1_000) / (STEPS.length + 1))
      await change(server, "promote", { model_id: candidate, canary_percent: percent })
    }
    // at once: a guard may find as quickly that the candidate judges otherwise
    if (!(await change(server, "rollback", { reason: "bench" }))) takenBack++
    changed.push(await changing)
  }
  return [
    ...changedRows("promotion (1, 10, 100%) and rollback", calm, changed),
    row({ name: "promotions that a guard took back first", value: takenBack, unit: "promotions" }),
  ]
}

function changedRows(
  name: string,
  calm: readonly OpenLoopResult[],
  changed: readonly OpenLoopResult[],
): readonly Row[] {
  const failed = changed.reduce((sum, result) => sum + failuresOf(result), 0)
  const p99 = (results: readonly OpenLoopResult[]) =>
    median(results.map(({ millisecondsFromSchedule: times }) => times["99"] ?? Number.NaN))
  return [
    row({
      ...{ name: `during ${name}: failed requests`, value: failed, unit: "requests" },
      goal: { of: "value", below: 1 },
    }),
    row({
      ...{ name: `during ${name}: p99 beside without`, unit: "ms" },
      ...{ value: p99(changed), baseline: p99(calm), goal: { of: "ratio", below: P99_RATIO_MAX } },
    }),
  ]
}

/** As an operator would: on the data directory of the running server, on whatever core is free. */
function startTraining({ directory }: ServerProcess) {
  return Bun.spawn([process.execPath, MAIN, "train"], {
    env: { ...process.env, SENTINEL_DATA_DIR: `${directory}/data` },
    stdio: ["ignore", "ignore", "ignore"],
  })
}

async function findCandidate({ url }: ServerProcess): Promise<string> {
  const response = await fetch(`${url}/api/v1/sentinel/models`)
  const { models }: { models: { model_id: string; status: string }[] } = await response.json()
  const candidate = models.find(({ status }) => status === "candidate")
  if (candidate === undefined) throw new Error("training registered no candidate")
  return candidate.model_id
}

/** False where there is nothing to change: a guard was quicker. */
async function change({ url }: ServerProcess, verb: string, body: object): Promise<boolean> {
  const response = await fetch(`${url}/api/v1/sentinel/models/${verb}`, {
    ...{ method: "POST", headers: { "content-type": "application/json" } },
    body: JSON.stringify(body),
  })
  if (response.ok) return true
  if (response.status === 409 && verb === "rollback") return false
  throw new Error(`${verb} was answered with ${response.status}: ${await response.text()}`)
}
