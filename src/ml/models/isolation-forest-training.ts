import { mkdir, rename, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { ModelRefusedError, systemErrorCode } from "../../errors.ts"
import type { ModelInfo } from "../../ports.ts"
import { encodeOnnx } from "../onnx/encode.ts"
import { FEATURE_TABLE } from "../sessions/feature-table.ts"
import { featureSchemaHash, featurize } from "../sessions/featurize.ts"
import type { PopulationName } from "../sessions/generate-sessions.ts"
import { generateSessions, POPULATIONS } from "../sessions/generate-sessions.ts"
import { toVector } from "./attributable-scorer.ts"
import type { IsolationForest } from "./isolation-forest.ts"
import { isolationScore, meanPathLength } from "./isolation-forest.ts"
import { calibrate, quantilesOf } from "./isolation-forest-calibration.ts"
import type { PopulationShare } from "./isolation-forest-card.ts"
import { forestCard } from "./isolation-forest-card.ts"
import { FOREST_FEATURE_NAMES, FOREST_FEATURES } from "./isolation-forest-features.ts"
import { growIsolationForest } from "./isolation-forest-grow.ts"
import { forestToOnnx } from "./isolation-forest-onnx.ts"
import { PARITY_MAX, parityWithRuntime } from "./isolation-forest-scorer.ts"

const TREES = 100
const SAMPLE_SIZE = 256
const TRAINING_SESSIONS = 20_000
const CALIBRATION_SESSIONS = 20_000
const JUDGED_SESSIONS = 1_000
/** The contamination at which the card judges; the configuration's default. */
const CARD_CONTAMINATION = 0.02

export interface SessionForestOptions {
  /** The folder of all models; the forest goes to `session-forest/<version>` in it. */
  readonly outDir: string
  readonly version?: string
  readonly seed?: number
  readonly onProgress?: (message: string) => void
}

/** Where the forest was written, and what was measured of it. */
export interface TrainedSessionForest {
  readonly directory: string
  readonly info: ModelInfo
}

/**
 * Trains, calibrates, judges and writes a session forest: the same seed gives the same bytes of
 * model.onnx. Only benign generated sessions are trained on; the rest is judged.
 *
 * @throws ModelRefusedError when ONNX Runtime and the plain evaluator disagree: nothing is written
 */
export async function trainSessionForest(
  options: SessionForestOptions,
): Promise<TrainedSessionForest> {
  const { seed = 7, version = "1.0.0", onProgress = () => {} } = options
  onProgress(`session forest: growing ${TREES} trees on ${TRAINING_SESSIONS} generated sessions`)
  const forest = growIsolationForest(benignVectors(seed, TRAINING_SESSIONS), {
    trees: TREES,
    sampleSize: SAMPLE_SIZE,
    seed,
    features: FOREST_FEATURES,
  })
  const held = benignVectors(seed + 1, CALIBRATION_SESSIONS).map((row) => rawScore(forest, row))
  const quantiles = quantilesOf(held)
  const model = encodeOnnx(
    forestToOnnx(forest, {
      model_id: `session-forest/${version}`,
      feature_names: JSON.stringify(FOREST_FEATURE_NAMES),
      schema_hash: featureSchemaHash(),
      calibration: JSON.stringify(quantiles.map(({ quantile, raw }) => [quantile, raw])),
      seed: `${seed}`,
    }),
  )
  const parity = await parityWithRuntime(forest, FOREST_FEATURE_NAMES, model)
  if (!(parity <= PARITY_MAX))
    throw new ModelRefusedError(`it differs from ONNX Runtime: ${parity}`)
  onProgress("session forest: judging it on sessions it has not seen")
  const link = calibrate(quantiles, CARD_CONTAMINATION)
  const shares = judge((row) => link(rawScore(forest, row)), seed + 2)
  const info = modelInfo({ version, shares, parity, bytes: model.length })
  const directory = join(options.outDir, "session-forest", version)
  await writeAtomically(directory, {
    "model.onnx": model,
    "metrics.json": `${JSON.stringify(info, null, 2)}\n`,
    "schema.json": schemaJson(),
    "card.md": forestCard({ info, shares, seed, contamination: CARD_CONTAMINATION }),
  })
  return { directory, info }
}

function rawScore(forest: IsolationForest, row: Float32Array): number {
  return isolationScore(forest, meanPathLength(forest, row))
}

function benignVectors(seed: number, count: number): Float32Array[] {
  const vectors: Float32Array[] = []
  for (const { session } of generateSessions({ seed, count })) {
    vectors.push(toVector(featurize(session), FOREST_FEATURE_NAMES))
  }
  return vectors
}

/** Share of each population whose score is 0.5 or more, `JUDGED_SESSIONS` of each truth. */
function judge(score: (row: Float32Array) => number, seed: number): readonly PopulationShare[] {
  const counts = new Map<PopulationName, { sessions: number; flagged: number }>()
  for (const truth of ["benign", "attack", "anomalous"] as const) {
    const drawn = generateSessions({ seed, count: 2 * JUDGED_SESSIONS, mix: { [truth]: 1 } })
    for (const { session, population } of drawn) {
      const count = counts.get(population) ?? { sessions: 0, flagged: 0 }
      count.sessions += 1
      if (score(toVector(featurize(session), FOREST_FEATURE_NAMES)) >= 0.5) count.flagged += 1
      counts.set(population, count)
    }
  }
  return [...counts].map(([population, { sessions, flagged }]) => ({
    population,
    truth: POPULATIONS[population].truth,
    sessions,
    flagged: flagged / sessions,
  }))
}

function modelInfo(measured: {
  version: string
  shares: readonly PopulationShare[]
  parity: number
  bytes: number
}): ModelInfo {
  const metrics: Record<string, number> = {
    parity_max: measured.parity,
    model_bytes: measured.bytes,
  }
  for (const { population, flagged } of measured.shares) metrics[`flagged_${population}`] = flagged
  return {
    modelId: `session-forest/${measured.version}`,
    modelType: "isolation_forest",
    trainedAt: new Date().toISOString(),
    trainingSamples: TRAINING_SESSIONS,
    validationSamples: CALIBRATION_SESSIONS,
    metrics,
  }
}

function schemaJson(): string {
  const features = FEATURE_TABLE.filter(({ name }) => FOREST_FEATURE_NAMES.includes(name)).map(
    ({ name, unit, min, max, default: standard }) => ({ name, unit, min, max, default: standard }),
  )
  const schema = { schema_hash: featureSchemaHash(), dtype: "float32", features }
  return `${JSON.stringify(schema, null, 2)}\n`
}

/** A reader sees the old folder or the new one, never half of either. */
async function writeAtomically(
  directory: string,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<void> {
  const fresh = `${directory}.new-${process.pid}`
  const replaced = `${directory}.old-${process.pid}`
  await mkdir(fresh, { recursive: true })
  for (const [name, content] of Object.entries(files)) await writeFile(join(fresh, name), content)
  await rename(directory, replaced).catch(ignoreMissing)
  await rename(fresh, directory)
  await rm(replaced, { recursive: true, force: true })
}

function ignoreMissing(error: unknown): void {
  if (systemErrorCode(error) !== "ENOENT") throw error
}
