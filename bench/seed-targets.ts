import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { type Running, startSentinel } from "../src/compose/server.ts"
import { readConfig } from "../src/config.ts"
import { sessionFromCaptures } from "../src/evidence/read-session.ts"
import { createLogger } from "../src/log.ts"
import { featurize } from "../src/ml/sessions/featurize.ts"
import { trainPayloadClassifier } from "../src/ml/training/train-payload-classifier.ts"
import { type Row, row, type SuiteOptions, timeCall } from "./harness.ts"

export const services = [] as const

const quietLog = createLogger({ write: () => undefined, nowMs: Date.now, level: "error" })
const EXAMPLE = resolve(import.meta.dir, "../examples/attack-session.json")
const TRAINING_SAMPLES = 1_000

/** The figures that users were promised, measured as a client sees them: over HTTP on loopback. */
export async function run(options: SuiteOptions): Promise<readonly Row[]> {
  const directory = await mkdtemp(join(tmpdir(), "sentinel-bench-"))
  try {
    const env = { SENTINEL_DATA_DIR: join(directory, "data"), SENTINEL_PORT: "0" }
    const running = await startSentinel(readConfig(env), "serve", quietLog)
    try {
      return [
        ...(await predictionRows(running, options)),
        ...(await analysisRows(running, options)),
        ...(await trainingRows(join(directory, "models"), options)),
      ]
    } finally {
      await running.stop()
    }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function predictionRows(running: Running, options: SuiteOptions): Promise<readonly Row[]> {
  options.progress("predict-payload")
  const health = await timeCall(() => get(running, "/health"), options)
  const known = { payload: "1' OR '1'='1" }
  const cached = await timeCall(() => post(running, "predict-payload", known), options)
  let turn = 0
  const uncached = await timeCall(
    () => post(running, "predict-payload", { payload: `${turn++}' OR '1'='1` }),
    options,
  )
  return [
    ...rows("predict-payload, cached", cached, { baselineMs: health.p50Ms, belowMs: 1 }),
    ...rows("predict-payload, uncached", uncached, { baselineMs: health.p50Ms, belowMs: 10 }),
  ]
}

async function analysisRows(running: Running, options: SuiteOptions): Promise<readonly Row[]> {
  options.progress("analysis")
  const evidence: unknown = await Bun.file(EXAMPLE).json()
  const analysis = await timeCall(() => post(running, "analyze", { evidence }), options)
  const extraction = await timeCall(
    () => featurize(sessionFromCaptures("bench", evidence)),
    options,
  )
  return [
    ...rows("full analysis of a session", analysis, { belowMs: 1_000 }),
    ...rows("feature extraction of a session", extraction, { belowMs: 200 }),
  ]
}

async function trainingRows(outDir: string, options: SuiteOptions): Promise<readonly Row[]> {
  options.progress(`training on ${TRAINING_SAMPLES} samples`)
  const began = performance.now()
  await trainPayloadClassifier({ outDir, seed: 1, generated: TRAINING_SAMPLES })
  const value = (performance.now() - began) / 1_000
  const goal = { of: "value", below: 300 } as const
  return [row({ name: `training on ${TRAINING_SAMPLES} samples`, value, unit: "s", goal })]
}

/** The median is judged; the 99th percentile stands beside it, unjudged: the scheduler makes it. */
function rows(
  name: string,
  times: { readonly p50Ms: number; readonly p99Ms: number },
  options: { readonly belowMs: number; readonly baselineMs?: number },
): readonly Row[] {
  const { baselineMs, belowMs } = options
  const baseline = baselineMs === undefined ? {} : { baseline: baselineMs }
  const goal = { of: "value", below: belowMs } as const
  return [
    row({ name: `${name}, p50`, value: times.p50Ms, unit: "ms", goal, ...baseline }),
    row({ name: `${name}, p99`, value: times.p99Ms, unit: "ms" }),
  ]
}

async function get({ url }: Running, path: string): Promise<void> {
  await answered(await fetch(`${url}${path}`))
}

async function post({ url }: Running, endpoint: string, body: unknown): Promise<void> {
  const headers = { "content-type": "application/json" }
  const request = { method: "POST", headers, body: JSON.stringify(body) }
  await answered(await fetch(`${url}/api/v1/sentinel/${endpoint}`, request))
}

/** @throws Error for a refusal: how fast it came says nothing */
async function answered(response: Response): Promise<void> {
  await response.arrayBuffer()
  if (!response.ok) throw new Error(`the server answered ${response.status}`)
}
