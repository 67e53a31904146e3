import { afterAll, beforeAll, expect, test } from "bun:test"
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { MalformedError } from "../../../src/errors.ts"
import {
  describeModel,
  listPayloadModels,
  unmetGates,
} from "../../../src/ml/serving/model-catalog.ts"
import { registerPayloadModel } from "../../../src/ml/training/register-payload-model.ts"

let root = ""
const directories = () => ({ shipped: join(root, "shipped"), registered: join(root, "registered") })
const by = () => ({
  ...{ directories: directories(), parent: "payload-linear/1.4.2", codeVersion: "0.1.0+abc" },
  ...{ seed: 5, generated: 60 },
})

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "sentinel-register-"))
  await mkdir(join(root, "shipped/payload-linear/1.4.2"), { recursive: true })
})
afterAll(() => rm(root, { recursive: true, force: true }))

test("registerPayloadModel gives two trainings at once a version each, above what is shipped", async () => {
  const trained = await Promise.all([registerPayloadModel(by()), registerPayloadModel(by())])
  expect(trained.map(({ modelId }) => modelId).sort()).toEqual([
    "payload-linear/1.4.3",
    "payload-linear/1.4.4",
  ])
  const [, entry] = await listPayloadModels(directories())
  const described = entry && (await describeModel(entry))
  expect(described?.lineage).toMatchObject({
    ...{ parent: "payload-linear/1.4.2", code_version: "0.1.0+abc", seed: 5 },
    training_data_sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
  })
  const scores = described?.lineage.reference_scores ?? []
  expect(scores.reduce((sum, count) => sum + count, 0)).toBe(1_000)
  // sixty payloads teach too little: what was measured says so
  expect(described && unmetGates(described.gates).join()).toContain("is required")
}, 60_000)

test("registerPayloadModel frees its version where the training fails, and lists no half-made model", async () => {
  const dataDir = join(root, "data")
  await Bun.write(join(dataDir, "train.jsonl.gz"), Bun.gzipSync(Buffer.from('{"text": 7}\n')))
  await expect(registerPayloadModel({ ...by(), dataDir })).rejects.toThrow(MalformedError)
  expect(await readdir(join(root, "registered/payload-linear"))).not.toContain("1.4.5")
  await mkdir(join(root, "registered/payload-linear/1.4.5"))
  const listed = await listPayloadModels(directories())
  expect(listed.map(({ version }) => version)).toEqual(["1.4.4", "1.4.3"])
}, 60_000)
