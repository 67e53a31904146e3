import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test"
import { cp, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { ModelServer } from "../../../src/compose/models/model-server.ts"
import { loadSecondTier } from "../../../src/compose/models/second-tier.ts"
import { MalformedError, ModelNotPromotableError, ModelRefusedError } from "../../../src/errors.ts"
import type { Classification } from "../../../src/events.ts"
import { createLogger } from "../../../src/log.ts"
import { DeepJudge } from "../../../src/ml/deep/deep-judge.ts"
import { registerDeepModel } from "../../../src/ml/deep/register-deep-model.ts"
import { predictionMemory } from "../../../src/ml/serving/cached-classifier.ts"
import { loadServedModel } from "../../../src/ml/serving/load-served-model.ts"
import { listDeepModels } from "../../../src/ml/serving/model-catalog.ts"
import { trainPayloadClassifier } from "../../../src/ml/training/train-payload-classifier.ts"
import type { SecondTierOutcome } from "../../../src/model-traffic.ts"
import { modelRegistryFile } from "../../../src/store/model-registry.ts"
import { CRASH_TEXT, SLOW_TEXT } from "../../support/troubled-second-tier-worker.ts"

const FAST = "payload-linear/1.0.0"
const POOR = "payload-deep/1.0.0"
const GOOD = "payload-deep/1.0.1"
const TROUBLED = new URL("../../support/troubled-second-tier-worker.ts", import.meta.url)
const CACHE = { entriesMax: 1_000, ttlMs: 60_000 }
/** Far beyond what an answer takes on a busy machine. */
const PATIENT_MS = 30_000
const ATTACK = "' union select password from users where '1'='1"
const SAID: Classification = {
  class: "sql_injection",
  confidence: 0.7,
  probabilities: { sql_injection: 0.7, benign: 0.3 },
  method: "ml",
  model: FAST,
}

let root = ""
const directories = () => ({ shipped: join(root, "shipped"), registered: join(root, "registered") })
const opened: { close(): unknown }[] = []

/** Both models are really trained; so little data misses the gates, and a copy claims to meet them. */
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "sentinel-second-tier-"))
  await trainPayloadClassifier({ outDir: directories().shipped, seed: 7, generated: 300 })
  const by = { directories: directories(), parent: FAST, codeVersion: "test" }
  await registerDeepModel({ ...by, seed: 7, generated: 400, epochs: 1 })
  await copied(POOR, GOOD)
}, 240_000)

afterEach(async () => {
  for (const each of opened.splice(0)) await each.close()
})
afterAll(() => rm(root, { recursive: true, force: true }))

async function copied(from: string, to: string): Promise<string> {
  const directory = join(directories().registered, to)
  await cp(join(directories().registered, from), directory, { recursive: true })
  const metrics = await Bun.file(join(directory, "metrics.json")).json()
  const figures = { precision: 0.9, recall: 0.9, f1: 0.9, fpr: 0.01 }
  const claimed = { ...metrics, model_id: to, metrics: figures }
  await Bun.write(join(directory, "metrics.json"), JSON.stringify(claimed))
  return directory
}

let registries = 0

async function start(registry?: string) {
  registries += 1
  const path = registry ?? join(root, `registry-${registries}.json`)
  const logged: string[] = []
  const memory = predictionMemory(CACHE)
  const server = await ModelServer.open({
    directories: directories(),
    store: modelRegistryFile(path),
    load: (entry) => loadServedModel(entry, { cache: { ...CACHE, memory }, nowMs: () => 0 }),
    loadSecondTier: (entry) =>
      loadSecondTier(entry, { memory, deadlineMs: PATIENT_MS, nowMs: () => performance.now() }),
    log: createLogger({ write: (line) => logged.push(line), nowMs: () => 0 }),
    nowMs: () => 1_000_000,
    monotonicMs: () => performance.now(),
    schedule: () => undefined,
    residentBytes: () => 0,
  })
  opened.push({ close: () => server.secondTier.use(undefined) })
  const state = async (modelId: string) => (await server.show(modelId)).state
  return { server, logged, path, state }
}

async function troubled(deadlineMs: number) {
  const [entry] = await listDeepModels(directories())
  if (entry === undefined) throw new Error("no deep model was trained")
  const outcomes: SecondTierOutcome[] = []
  const memory = predictionMemory(CACHE)
  const nowMs = () => performance.now()
  const loaded = await loadSecondTier(entry, {
    ...{ memory, nowMs, deadlineMs, worker: TROUBLED },
    onOutcome: (outcome) => outcomes.push(outcome),
  })
  opened.push(loaded)
  const ask = (text: string) => loaded.tier.judge({ text }, SAID, nowMs())
  return { ask, outcomes, tier: loaded.tier }
}

describe("ModelServer: the second tier", () => {
  test("promote refuses a deep model that misses its gates, or is to go on by itself", async () => {
    const { server } = await start()
    const promote = (modelId: string, percent: number) => server.promote({ modelId, percent })
    await expect(promote(POOR, 100)).rejects.toThrow(ModelNotPromotableError)
    const alone = server.promote({ modelId: GOOD, percent: 1, auto: true })
    await expect(alone).rejects.toThrow(MalformedError)
    expect([server.secondTier.live, server.health().secondTier]).toEqual([undefined, undefined])
  }, 60_000)

  test("promote puts a deep model beside the fast one, rollback takes it away again", async () => {
    const { server, state } = await start()
    expect(await server.promote({ modelId: GOOD, percent: 100 })).toMatchObject({ state: "live" })
    expect([await state(GOOD), await state(FAST)]).toEqual(["live", "live"])
    expect(server.health().secondTier).toMatchObject({ modelId: GOOD, breaker: "closed" })
    const answer = await server.secondTier.live?.judge({ text: ATTACK }, SAID, performance.now())
    expect(answer?.classification).toMatchObject({ model: FAST, second_model: GOOD })
    expect(await server.rollback("it is not worth it", "deep")).toMatchObject({ modelId: GOOD })
    expect([server.secondTier.live, await state(GOOD)]).toEqual([undefined, "retired"])
    await expect(server.rollback("again", "deep")).rejects.toThrow("no second tier is live")
  }, 60_000)

  test("promote tries a deep model in the shadow and on a share of the sessions, and shows what it would change", async () => {
    const { server, path, state } = await start()
    const ask = () => server.secondTier.live?.judge({ text: ATTACK }, SAID, performance.now())
    const answers = () => server.secondTier.live?.answers?.({ text: ATTACK }, "s")
    expect(await server.promote({ modelId: GOOD, percent: 0 })).toMatchObject({ percent: 0 })
    expect([await state(GOOD), answers()]).toEqual(["shadow", false])
    await ask()
    const { traffic } = await server.show(GOOD)
    expect(traffic).toMatchObject({ canary_percent: 0, trial: { agreement: { compared: 1 } } })
    await server.promote({ modelId: GOOD, percent: 99.9 })
    expect([await state(GOOD), answers()]).toEqual(["canary", true])
    const again = await start(path)
    expect(again.server.snapshot().secondTierPercent).toBe(99.9)
    expect(again.server.secondTier.live?.answers?.({ text: ATTACK }, "s")).toBe(true)
    await server.promote({ modelId: GOOD, percent: 100 })
    expect([await state(GOOD), answers()]).toEqual(["live", undefined])
  }, 60_000)

  test("a deep model says in its threads what ONNX Runtime says here", async () => {
    const { server } = await start()
    await server.promote({ modelId: GOOD, percent: 100 })
    const directory = join(directories().registered, GOOD)
    const judge = await DeepJudge.of(await Bun.file(join(directory, "model.onnx")).bytes())
    const [here] = await judge.judge([{ text: ATTACK }])
    await judge.release()
    // to pool an opinion with itself gives itself
    const own = { ...SAID, probabilities: named(here ?? []) }
    const there = await server.secondTier.live?.judge({ text: ATTACK }, own, performance.now())
    for (const [name, probability] of Object.entries(named(here ?? []))) {
      expect(there?.classification.probabilities[name]).toBeCloseTo(probability, 5)
    }
  }, 60_000)

  test("a server that starts again has its second tier; where it is gone, the fast one is alone", async () => {
    const modelId = "payload-deep/1.0.2"
    const directory = await copied(POOR, modelId)
    const first = await start()
    await first.server.promote({ modelId, percent: 100 })
    const second = await start(first.path)
    expect(second.server.secondTier.live?.modelId).toBe(modelId)
    await rm(directory, { recursive: true })
    const third = await start(first.path)
    expect(third.server.secondTier.live).toBeUndefined()
    expect(third.server.snapshot().secondTier).toBeUndefined()
    expect(third.logged.join()).toContain("the second tier cannot be served")
  }, 60_000)

  test("a process that follows another one's plan takes the second tier over, and lets it go", async () => {
    const [owner, follower] = [await start(), await start()]
    await owner.server.promote({ modelId: GOOD, percent: 100 })
    await follower.server.applyTrafficPlan(owner.server.snapshot())
    expect(follower.server.secondTier.live?.modelId).toBe(GOOD)
    await owner.server.rollback("enough", "deep")
    await follower.server.applyTrafficPlan(owner.server.snapshot())
    expect(follower.server.secondTier.live).toBeUndefined()
  }, 60_000)

  test.each([
    ["model.onnx", (bytes: Buffer) => Buffer.concat([bytes, Buffer.from([0])])],
    ["parity.json", (bytes: Buffer) => Buffer.from(`${bytes}`.replace(/\[0\.\d/, "[0.5"))],
    ["parity.json", () => Buffer.from("{}")],
    ["metrics.json", (bytes: Buffer) => Buffer.from(`${bytes}`.replace("1.0.3", "9.9.9"))],
  ] as const)(
    "promote refuses a deep model whose %s is another one",
    async (file, change) => {
      const modelId = "payload-deep/1.0.3"
      const directory = await copied(POOR, modelId)
      const path = join(directory, file)
      await Bun.write(path, change(Buffer.from(await Bun.file(path).bytes())))
      const { server } = await start()
      const promotion = server.promote({ modelId, percent: 100 })
      await expect(promotion).rejects.toThrow(ModelRefusedError)
      expect(server.secondTier.live).toBeUndefined()
      await rm(directory, { recursive: true })
    },
    60_000,
  )
})

describe("loadSecondTier: threads in trouble", () => {
  test("a slow thread leaves the fast answer, degraded; its own comes late and is remembered", async () => {
    const { ask, outcomes, tier } = await troubled(20)
    const { classification } = await ask(SLOW_TEXT)
    expect(classification).toEqual({ ...SAID, degraded: true })
    while (tier.waiting > 0) await new Promise(setImmediate)
    expect(await ask(SLOW_TEXT)).toMatchObject({ cached: true })
    expect(outcomes).toEqual(["deadline", "answered"])
  }, 60_000)

  test("a thread that dies fails its own question alone, and another one takes its place", async () => {
    const { ask, outcomes } = await troubled(PATIENT_MS)
    await ask(CRASH_TEXT)
    for (let i = 0; i < 8; i++) await ask(`hello ${i}`)
    expect(outcomes).toEqual(["failed", ...Array.from({ length: 8 }, () => "answered" as const)])
  }, 60_000)
})

function named(probabilities: readonly number[]): Record<string, number> {
  const [sql_injection = 0, xss = 0, command_injection = 0, ...others] = probabilities
  const [path_traversal = 0, other_attack = 0, benign = 0] = others
  return { sql_injection, xss, command_injection, path_traversal, other_attack, benign }
}
