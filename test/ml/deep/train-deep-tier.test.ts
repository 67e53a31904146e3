import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { ModelRefusedError } from "../../../src/errors.ts"
import { ByteWindows } from "../../../src/ml/deep/byte-windows.ts"
import { scoreTexts } from "../../../src/ml/deep/choose-windows.ts"
import { DeepScorer } from "../../../src/ml/deep/deep-scorer.ts"
import { type DeepTrainingResult, trainDeepTier } from "../../../src/ml/deep/train-deep-tier.ts"
import { decodeOnnx } from "../../../src/ml/onnx/decode.ts"
import { encodeOnnx } from "../../../src/ml/onnx/encode.ts"
import { windowAt, windowCount } from "../../../src/ml/text/windows.ts"

let directory = ""
let trained: DeepTrainingResult

const SMALL = { seed: 7, generated: 3_000, epochs: 5, trainedAt: "2026-01-01T00:00:00.000Z" }
const ATTACK = "' union select password from users where '1'='1"

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "sentinel-deep-"))
  trained = await trainDeepTier({ ...SMALL, outDir: directory })
}, 240_000)

afterAll(() => rm(directory, { recursive: true, force: true }))

function modelBytes(): Promise<Uint8Array> {
  return Bun.file(join(trained.modelDir, "model.onnx")).bytes()
}

async function scoresOf(texts: readonly string[]): Promise<readonly Float64Array[]> {
  const scorer = await DeepScorer.open(await modelBytes())
  const rows = texts.map((text) => ({ text, label: "benign" as const, source: "test" }))
  const scores = await scoreTexts(new ByteWindows(rows), scorer)
  await scorer.release()
  return scores
}

/** Of all attacks against benign, which is the last class. */
function attackOdds(logits: Float64Array): number {
  const attacks = logits.subarray(0, -1).reduce((sum, logit) => sum + Math.exp(logit), 0)
  return attacks / Math.exp(logits.at(-1) ?? Number.NaN)
}

describe("trainDeepTier", () => {
  test("learns from the generators alone: attacks of fresh rows are told from benign texts", () => {
    expect(trained.modelId).toBe("payload-deep/1.0.0")
    expect(trained.reports.deep?.recallAtFpr["0.01"]).toBeGreaterThan(0.25)
  })

  test("gives the same bytes for the same seed, other ones for another", async () => {
    const few = { ...SMALL, generated: 500 }
    const first = await trainDeepTier({ ...few, outDir: join(directory, "first") })
    const again = await trainDeepTier({ ...few, outDir: join(directory, "again") })
    const other = await trainDeepTier({ ...few, seed: 8, outDir: join(directory, "other") })
    expect(again.modelSha256).toBe(first.modelSha256)
    expect(other.modelSha256).not.toBe(first.modelSha256)
  }, 240_000)

  test("writes a card and metrics that tell what was measured", async () => {
    const card = await Bun.file(join(trained.modelDir, "card.md")).text()
    const metrics = await Bun.file(join(trained.modelDir, "metrics.json")).json()
    expect(card).toContain("fresh rows of the same generators")
    expect(metrics.model_sha256).toBe(trained.modelSha256)
    expect(metrics.reports.deep.rows).toBe(trained.reports.deep?.rows)
  })
})

describe("DeepScorer", () => {
  test("judges a text alone as it does among others", async () => {
    const [alone] = await scoresOf([ATTACK])
    const [, among] = await scoresOf(["hello", ATTACK, "x".repeat(200), ""])
    for (const [index, logit] of (alone ?? []).entries()) {
      expect(among?.[index]).toBeCloseTo(logit, 4)
    }
  })

  test("judges a long text by its window that is most like an attack", async () => {
    const text = "the weather was fine and the road was long. ".repeat(40) + ATTACK
    const windows = Array.from({ length: windowCount(text.length) }, (_, index) => {
      const { start, end } = windowAt(text.length, index)
      return text.slice(start, end)
    })
    const [whole, ...alone] = await scoresOf([text, ...windows])
    const worst = alone.reduce((one, other) => (attackOdds(other) > attackOdds(one) ? other : one))
    for (const [index, logit] of worst.entries()) expect(whole?.[index]).toBeCloseTo(logit, 4)
    expect(new Set(alone.map(attackOdds)).size).toBeGreaterThan(1)
  })

  test.each(["classes", "normalizer_version", "window_bytes", "gram_schema"])(
    "refuses a model whose %s differs",
    async (key) => {
      const graph = decodeOnnx(await modelBytes())
      const altered = encodeOnnx({ ...graph, metadata: { ...graph.metadata, [key]: "other" } })
      await expect(DeepScorer.open(altered)).rejects.toBeInstanceOf(ModelRefusedError)
    },
  )
})
