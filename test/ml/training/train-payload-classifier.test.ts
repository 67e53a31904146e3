import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { ModelRefusedError } from "../../../src/errors.ts"
import { decodeLinearModel } from "../../../src/ml/models/linear-onnx.ts"
import { CLASS_COUNT } from "../../../src/ml/models/linear-softmax.ts"
import { decodeOnnx } from "../../../src/ml/onnx/decode.ts"
import { encodeOnnx } from "../../../src/ml/onnx/encode.ts"
import { loadPayloadClassifier } from "../../../src/ml/serving/load-payload-classifier.ts"
import {
  type TrainingResult,
  trainPayloadClassifier,
} from "../../../src/ml/training/train-payload-classifier.ts"

let directory = ""
let trained: TrainingResult

const SMALL = { seed: 7, generated: 2_000, trainedAt: "2026-01-01T00:00:00.000Z" }

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "sentinel-train-"))
  trained = await trainPayloadClassifier({ ...SMALL, outDir: directory })
})

afterAll(() => rm(directory, { recursive: true, force: true }))

describe("trainPayloadClassifier", () => {
  test("learns from the generators alone when there is no data", () => {
    expect(trained.modelId).toBe("payload-linear/1.0.0")
    expect(trained.metrics.macro_f1).toBeGreaterThan(0.8)
    expect(trained.metrics.parity_max_difference).toBeLessThan(1e-6)
    expect(trained.modelBytes).toBeLessThan(2_000_000)
  })

  test("gives the same bytes for the same seed, and raises the version", async () => {
    const again = await trainPayloadClassifier({ ...SMALL, outDir: directory })
    expect(again.modelSha256).toBe(trained.modelSha256)
    expect(again.modelId).toBe("payload-linear/1.0.1")
  })

  test("gives other bytes for another seed", async () => {
    const other = await trainPayloadClassifier({ ...SMALL, seed: 8, outDir: directory })
    expect(other.modelSha256).not.toBe(trained.modelSha256)
  })

  test("learns from collected rows and leaves placeholders out", async () => {
    const dataDir = join(directory, "data")
    const rows = [
      { text: "1 or 1=1", label: "sql_injection", source: "a" },
      ...Array.from({ length: 1_000 }, (_, index) => ({
        text: `${index}; {cmd}`,
        label: "command_injection",
        source: "b",
      })),
      { text: "hello", label: "benign", source: "b" },
    ]
    const lines = rows.map((row) => JSON.stringify(row)).join("\n")
    await Bun.write(join(dataDir, "train.jsonl.gz"), Bun.gzipSync(new TextEncoder().encode(lines)))
    const outDir = join(directory, "with-data")
    const { modelDir } = await trainPayloadClassifier({ ...SMALL, dataDir, outDir })
    const { info } = await loadPayloadClassifier(modelDir)
    // Two rows, at most four made from them, and the attacks that an adversary given 500 rewrote.
    expect(info.trainingSamples).toBeGreaterThan(2_002)
    expect(info.trainingSamples).toBeLessThanOrEqual(2_506)
  })
})

describe("loadPayloadClassifier", () => {
  test("serves what was trained", async () => {
    const classifier = await loadPayloadClassifier(trained.modelDir)
    expect(classifier.info.modelId).toBe("payload-linear/1.0.0")
    expect(classifier.info.trainedAt).toBe(SMALL.trainedAt)
    expect(classifier.classify({ text: "' or 1=1--" }).class).toBe("sql_injection")
  })

  test("refuses files that do not belong together with ModelRefusedError", async () => {
    const copy = join(directory, "copy")
    for (const file of ["model.onnx", "schema.json", "metrics.json"]) {
      await Bun.write(join(copy, file), await Bun.file(join(trained.modelDir, file)).bytes())
    }
    const bytes = await Bun.file(join(copy, "model.onnx")).bytes()
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1
    await Bun.write(join(copy, "model.onnx"), bytes)
    await expect(loadPayloadClassifier(copy)).rejects.toBeInstanceOf(ModelRefusedError)
    await expect(loadPayloadClassifier(join(directory, "none"))).rejects.toBeInstanceOf(
      ModelRefusedError,
    )
  })
})

describe("decodeLinearModel", () => {
  test.each([
    ["classes", "benign,evil"],
    ["feature_schema_sha256", "00"],
    ["normalizer_version", "0"],
    ["hash_seed", "1"],
    ["certain_threshold", "high"],
    ["thresholds", '{"0.01":"x"}'],
  ])("refuses a model whose %s differs", async (key, value) => {
    const graph = decodeOnnx(await Bun.file(join(trained.modelDir, "model.onnx")).bytes())
    const altered = encodeOnnx({ ...graph, metadata: { ...graph.metadata, [key]: value } })
    expect(() => decodeLinearModel(altered)).toThrow(ModelRefusedError)
  })

  test("refuses weights that are not finite", async () => {
    const graph = decodeOnnx(await Bun.file(join(trained.modelDir, "model.onnx")).bytes())
    const initializers = graph.initializers.map((tensor) =>
      tensor.name === "bias"
        ? { ...tensor, data: new Float32Array(CLASS_COUNT).fill(Number.NaN) }
        : tensor,
    )
    expect(() => decodeLinearModel(encodeOnnx({ ...graph, initializers }))).toThrow("not finite")
  })
})
