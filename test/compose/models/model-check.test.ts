import { afterAll, beforeAll, expect, spyOn, test } from "bun:test"
import { cp, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { checkInThread } from "../../../src/compose/models/model-check.ts"
import { ModelRefusedError } from "../../../src/errors.ts"
import { decodeOnnx } from "../../../src/ml/onnx/decode.ts"
import { encodeOnnx } from "../../../src/ml/onnx/encode.ts"
import { LinearPayloadClassifier } from "../../../src/ml/serving/linear-payload-classifier.ts"
import { openPayloadModel } from "../../../src/ml/serving/load-payload-classifier.ts"
import {
  checkedScores,
  loadServedModel,
  warmMemory,
} from "../../../src/ml/serving/load-served-model.ts"
import { listPayloadModels } from "../../../src/ml/serving/model-catalog.ts"
import { sha256 } from "../../../src/ml/serving/payload-model-files.ts"
import { trainPayloadClassifier } from "../../../src/ml/training/train-payload-classifier.ts"

const CACHE = { entriesMax: 1_000, ttlMs: 60_000 }
let root = ""

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "sentinel-model-check-"))
  await trainPayloadClassifier({ outDir: root, seed: 7, generated: 300 })
}, 60_000)
afterAll(() => rm(root, { recursive: true, force: true }))

async function trained() {
  const [entry] = await listPayloadModels({ shipped: root, registered: undefined })
  if (entry === undefined) throw new Error("no model was trained")
  return entry
}

/** Payloads that this thread judges while `work` goes on, and the most within one turn of its event loop. */
async function judgedWithin(work: () => Promise<unknown>) {
  const judging = spyOn(LinearPayloadClassifier.prototype, "classify")
  const judged = { sum: 0, most: 0 }
  let isOver = false
  const turn = () => {
    const { length } = judging.mock.calls
    judging.mockClear()
    judged.sum += length
    judged.most = Math.max(judged.most, length)
    if (!isOver) setImmediate(turn)
  }
  setImmediate(turn)
  await work()
  isOver = true
  turn()
  judging.mockRestore()
  return judged
}

test("checkInThread says what the same check says here, and judges nothing in this thread", async () => {
  const entry = await trained()
  const here = await checkedScores(await openPayloadModel(entry.directory))
  const options = { cache: CACHE, nowMs: () => 0 }
  let there: readonly number[] = []
  const judged = await judgedWithin(async () => {
    there = (await loadServedModel(entry, { ...options, check: checkInThread })).referenceScores
  })
  expect(there).toEqual(here)
  expect(judged.sum).toBe(0)
}, 60_000)

/** The trained model under another graph, with digests that are right: all but ONNX Runtime takes it for sound. */
async function withOtherGraph(): Promise<{ directory: string; digest: string }> {
  const { directory } = await trained()
  const { bytes } = await openPayloadModel(directory)
  const graph = decodeOnnx(bytes)
  const nodes = graph.nodes.map((node) =>
    node.outputs.includes("sparse_logits") ? { ...node, opType: "Add" } : node,
  )
  const changed = encodeOnnx({ ...graph, nodes })
  const other = join(root, "other-graph")
  await cp(directory, other, { recursive: true })
  await Bun.write(join(other, "model.onnx"), changed)
  const [before, digest] = [sha256(bytes), sha256(changed)]
  for (const file of ["metrics.json", "schema.json"].map((name) => join(other, name))) {
    await Bun.write(file, (await Bun.file(file).text()).replace(before, digest))
  }
  return { directory: other, digest }
}

test("checkInThread refuses a model that ONNX Runtime answers otherwise", async () => {
  const { directory, digest } = await withOtherGraph()
  expect((await openPayloadModel(directory)).classifier.info.modelId).toBe("payload-linear/1.0.0")
  const checked = checkInThread(directory, digest)
  await expect(checked).rejects.toThrow("ONNX Runtime and the plain evaluator disagree")
}, 60_000)

test("checkInThread refuses a model that was replaced meanwhile, or is gone", async () => {
  const { directory } = await trained()
  const digest = "0".repeat(64)
  await expect(checkInThread(directory, digest)).rejects.toThrow("it has just been replaced")
  await expect(checkInThread(join(root, "none"), digest)).rejects.toThrow(ModelRefusedError)
}, 60_000)

test("warmMemory gives the event loop back after every ten payloads", async () => {
  const entry = await trained()
  const load = () => loadServedModel(entry, { cache: CACHE, nowMs: () => 0 })
  const [from, next] = [await load(), await load()]
  for (let at = 0; at < 200; at++) from.classifier.classify({ text: `hello world ${at}` })
  const { sum, most } = await judgedWithin(() => warmMemory(next, from))
  expect(sum).toBe(200)
  expect(most).toBeLessThanOrEqual(10)
}, 60_000)
