import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { ModelRefusedError } from "../../../src/errors.ts"
import { REFERENCES_MAX } from "../../../src/ml/models/attributable-scorer.ts"
import {
  averagePathLength,
  isolationScore,
  meanPathLength,
} from "../../../src/ml/models/isolation-forest.ts"
import { calibrate, quantilesOf } from "../../../src/ml/models/isolation-forest-calibration.ts"
import { growIsolationForest } from "../../../src/ml/models/isolation-forest-grow.ts"
import { forestFromOnnx, forestToOnnx } from "../../../src/ml/models/isolation-forest-onnx.ts"
import { loadAnomalyScorer } from "../../../src/ml/models/isolation-forest-scorer.ts"
import { ForestShapley } from "../../../src/ml/models/isolation-forest-shapley.ts"
import { trainSessionForest } from "../../../src/ml/models/isolation-forest-training.ts"
import { decodeOnnx } from "../../../src/ml/onnx/decode.ts"
import { encodeOnnx } from "../../../src/ml/onnx/encode.ts"
import { Random } from "../../../src/ml/random.ts"
import { featurize } from "../../../src/ml/sessions/featurize.ts"
import { generateSessions } from "../../../src/ml/sessions/generate-sessions.ts"

const FEATURES = Array.from({ length: 5 }, () => ({ max: 10, log: false }))

function cloud(seed: number, count = 300): Float32Array[] {
  const random = new Random(seed)
  return Array.from({ length: count }, () =>
    Float32Array.from(FEATURES, () => random.uniform(4, 6)),
  )
}

const smallForest = growIsolationForest(cloud(1), {
  trees: 12,
  sampleSize: 64,
  seed: 3,
  features: FEATURES,
})

describe("growIsolationForest", () => {
  test("growIsolationForest gives the same forest for the same seed and another for another", () => {
    const grow = (seed: number) =>
      growIsolationForest(cloud(1), { trees: 5, sampleSize: 32, seed, features: FEATURES })
    expect(grow(4)).toEqual(grow(4))
    expect(grow(4)).not.toEqual(grow(5))
  })

  test("meanPathLength is shorter far from the training rows than among them", () => {
    const inside = meanPathLength(smallForest, Float32Array.of(5, 5, 5, 5, 5))
    const outside = meanPathLength(smallForest, Float32Array.of(9, 5, 1, 9, 5))
    expect(outside).toBeLessThan(inside)
    const scores = [inside, outside].map((length) => isolationScore(smallForest, length))
    expect(scores[1]).toBeGreaterThan(scores[0] ?? 1)
  })

  test("averagePathLength agrees with the paper's c(n): c(2) = 1, c(256) = 10.2448", () => {
    expect([0, 1, 2].map(averagePathLength)).toEqual([0, 0, 1])
    expect(averagePathLength(256)).toBeCloseTo(10.2448, 3)
  })
})

describe("forestFromOnnx", () => {
  test("forestFromOnnx reads back what forestToOnnx wrote", () => {
    const bytes = encodeOnnx(forestToOnnx(smallForest, {}))
    expect(forestFromOnnx(decodeOnnx(bytes))).toEqual(smallForest)
  })

  test("forestFromOnnx refuses a child that points backwards", () => {
    const broken = { ...smallForest, left: smallForest.left.map((child) => (child < 0 ? -1 : 0)) }
    expect(() => forestFromOnnx(forestToOnnx(broken, {}))).toThrow(ModelRefusedError)
  })
})

describe("ForestShapley", () => {
  const coordinate = fc.double({ min: 0, max: 10, noNaN: true })
  const vectors = fc.array(coordinate, { minLength: 5, maxLength: 5 })
  const weights = fc.double({ min: -1, max: 1, noNaN: true })

  test("ForestShapley sums what the definition over all coalitions says for each reference", () => {
    const agrees = (given: number[], weighted: [number[], number][]): void => {
      const vector = Float32Array.from(given)
      const references = weighted.map(([reference]) => Float32Array.from(reference))
      const expected = new Float64Array(5)
      for (const [r, reference] of references.entries()) {
        for (const [i, value] of shapleyByDefinition({ vector, reference }).entries()) {
          expected[i] = (expected[i] ?? 0) + value * (weighted[r]?.[1] ?? 0)
        }
      }
      const values = new Float64Array(5)
      const shapley = new ForestShapley(smallForest, references)
      shapley.attribute(
        vector,
        Float64Array.from(weighted, ([, weight]) => weight),
        values,
      )
      for (const [i, value] of values.entries()) expect(value).toBeCloseTo(expected[i] ?? 0, 9)
    }
    const weighted = fc.array(fc.tuple(vectors, weights), {
      minLength: 1,
      maxLength: REFERENCES_MAX,
    })
    fc.assert(fc.property(vectors, weighted, agrees), { numRuns: 100 })
  })
})

/** The oracle: every coalition of five features, weighted as Shapley says. */
function shapleyByDefinition(pair: { vector: Float32Array; reference: Float32Array }): number[] {
  const value = (coalition: number): number =>
    meanPathLength(
      smallForest,
      pair.reference.map((reference, i) =>
        (coalition >> i) & 1 ? (pair.vector[i] ?? 0) : reference,
      ),
    )
  const factorial = [1, 1, 2, 6, 24, 120]
  const weight = (size: number): number =>
    ((factorial[size] ?? 0) * (factorial[4 - size] ?? 0)) / 120
  return FEATURES.map((_, player) => {
    let sum = 0
    for (let coalition = 0; coalition < 32; coalition++) {
      if ((coalition >> player) & 1) continue
      const size = coalition.toString(2).replaceAll("0", "").length
      sum += weight(size) * (value(coalition | (1 << player)) - value(coalition))
    }
    return sum
  })
}

describe("calibrate", () => {
  const scores = Array.from({ length: 10_001 }, (_, i) => 0.3 + (0.2 * i) / 10_000)

  test("calibrate maps the contamination quantile to 0.5 and never decreases", () => {
    const raw = fc.double({ min: 0, max: 1, noNaN: true })
    const contamination = fc.double({ min: 0.001, max: 0.5, noNaN: true })
    const holds = (share: number, a: number, b: number): void => {
      const link = calibrate(quantilesOf(scores), share)
      expect(link(0.3 + 0.2 * (1 - share))).toBeCloseTo(0.5, 3)
      expect(link(Math.min(a, b))).toBeLessThanOrEqual(link(Math.max(a, b)))
      expect(link(a) >= 0 && link(a) <= 1).toBe(true)
    }
    fc.assert(fc.property(contamination, raw, raw, holds))
  })
})

describe("trainSessionForest", () => {
  let folder = ""
  let directory = ""
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "session-forest-"))
    directory = (await trainSessionForest({ outDir: folder, version: "1.0.0" })).directory
  }, 60_000)
  afterAll(() => rm(folder, { recursive: true, force: true }))

  test("trainSessionForest writes the same model bytes for the same seed as the shipped ones", async () => {
    const shipped = join(import.meta.dir, "../../../models/session-forest/1.0.0/model.onnx")
    const bytes = await readFile(join(directory, "model.onnx"))
    expect(bytes.equals(await readFile(shipped))).toBe(true)
  }, 60_000)

  test("loadAnomalyScorer scores benign sessions at the configured contamination", async () => {
    const scorer = await loadAnomalyScorer(directory, { contamination: 0.05 })
    const drawn = [...generateSessions({ seed: 4711, count: 2_000 })]
    const flagged = drawn.filter(({ session }) => scorer.score(featurize(session)).score >= 0.5)
    const share = flagged.length / drawn.length
    expect(share > 0.025 && share < 0.085, `${share}`).toBe(true)
  })

  test("loadAnomalyScorer scores scanners, stuffing and enumeration above benign sessions", async () => {
    const scorer = await loadAnomalyScorer(directory, { contamination: 0.02 })
    const mean = (truth: "benign" | "anomalous"): number => {
      const drawn = [...generateSessions({ seed: 12, count: 200, mix: { [truth]: 1 } })]
      const scores = drawn.map(({ session }) => scorer.score(featurize(session)).score)
      return scores.reduce((sum, score) => sum + score, 0) / scores.length
    }
    expect(mean("anomalous")).toBeGreaterThan(mean("benign") + 0.4)
  })

  test("loadAnomalyScorer refuses a model of another feature table", async () => {
    const graph = decodeOnnx(await readFile(join(directory, "model.onnx")))
    const metadata = { ...graph.metadata, schema_hash: "0".repeat(64) }
    await writeFile(join(directory, "model.onnx"), encodeOnnx({ ...graph, metadata }))
    await expect(loadAnomalyScorer(directory, { contamination: 0.02 })).rejects.toThrow(
      ModelRefusedError,
    )
    await writeFile(join(directory, "model.onnx"), encodeOnnx(graph))
  })

  test("loadAnomalyScorer refuses broken bytes and a missing folder", async () => {
    const missing = loadAnomalyScorer(join(folder, "none"), { contamination: 0.02 })
    await expect(missing).rejects.toThrow(ModelRefusedError)
    await writeFile(join(directory, "model.onnx"), new Uint8Array(100).fill(7))
    await expect(loadAnomalyScorer(directory, { contamination: 0.02 })).rejects.toThrow(
      ModelRefusedError,
    )
  })
})
