import { afterAll, beforeAll } from "bun:test"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { ModelServer } from "../../src/compose/models/model-server.ts"
import { createLogger } from "../../src/log.ts"
import { ArmMeter } from "../../src/ml/serving/arm-meter.ts"
import { cachedClassifier } from "../../src/ml/serving/cached-classifier.ts"
import { CircuitBreaker } from "../../src/ml/serving/circuit-breaker.ts"
import { type LoadedModel, loadServedModel } from "../../src/ml/serving/load-served-model.ts"
import { listPayloadModels } from "../../src/ml/serving/model-catalog.ts"
import { registerPayloadModel } from "../../src/ml/training/register-payload-model.ts"
import { trainPayloadClassifier } from "../../src/ml/training/train-payload-classifier.ts"
import type { ModelDecision } from "../../src/model-traffic.ts"
import type { PayloadClassifier } from "../../src/ports.ts"
import { modelRegistryFile } from "../../src/store/model-registry.ts"

export const LIVE = "payload-linear/1.0.0"
export const GOOD = "payload-linear/1.0.1"
export const POOR = "payload-linear/1.0.2"
const CACHE = { entriesMax: 1_000, ttlMs: 60_000 }

export let root = ""
/** The two that most tests serve, loaded once. */
const loadedOnce = new Map<string, LoadedModel>()
export const directories = () => ({
  shipped: join(root, "shipped"),
  registered: join(root, "registered"),
})

/** Real models from small trainings: one shipped, one good candidate, one that misses its gates. */
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "sentinel-model-server-"))
  await trainPayloadClassifier({ outDir: directories().shipped, seed: 7, generated: 16_000 })
  const by = { directories: directories(), parent: LIVE, codeVersion: "test" }
  await registerPayloadModel({ ...by, seed: 8, generated: 16_000 })
  await registerPayloadModel({ ...by, seed: 9, generated: 40 })
  for (const entry of await listPayloadModels(directories())) {
    if (entry.modelId === POOR) continue
    loadedOnce.set(entry.modelId, await loadServedModel(entry, { cache: CACHE, nowMs: () => 0 }))
  }
}, 120_000)

afterAll(() => rm(root, { recursive: true, force: true }))

export type Change = (classifier: PayloadClassifier) => Partial<PayloadClassifier>

interface Given {
  /** What happens to the answers of the candidate, as if a broken model had passed its gates. */
  readonly change?: Change
  readonly registry?: string
  readonly residentBytes?: () => number
}

let registries = 0

/** A server over the trained models, whose time, timers and memory are the test's. */
export async function start({ change, registry, residentBytes = () => 0 }: Given = {}) {
  registries += 1
  const path = registry ?? join(root, `registry-${registries}.json`)
  const clock = { nowMs: 1_000_000, monotonicMs: 0 }
  const scheduled: (() => void)[] = []
  const logged: string[] = []
  const decisions: ModelDecision[] = []
  const server = await ModelServer.open({
    directories: directories(),
    store: modelRegistryFile(path),
    async load(entry) {
      const by = { cache: CACHE, nowMs: () => clock.monotonicMs }
      const known = loadedOnce.get(entry.modelId)
      const loaded = known === undefined ? await loadServedModel(entry, by) : anew(known, by.nowMs)
      return change !== undefined && entry.modelId === GOOD ? changed(loaded, change) : loaded
    },
    log: createLogger({ write: (line) => logged.push(line), nowMs: () => clock.nowMs }),
    nowMs: () => clock.nowMs,
    monotonicMs: () => clock.monotonicMs,
    schedule: (action) => scheduled.push(action),
    residentBytes,
    onDecided: (made) => decisions.push(...made),
  })
  let sent = 0
  /** Sends payloads of as many sessions, half of them attacks; then the guards look. */
  const send = (count: number) => {
    const models = new Set<string>()
    for (let at = 0; at < count; at++) {
      sent += 1
      const text = at % 2 === 0 ? `${sent}' OR '1'='1' --` : `hello world ${sent}`
      models.add(server.classifier.lookup({ text }, { sessionId: `s${sent}` }).classification.model)
    }
    for (let action = scheduled.shift(); action !== undefined; action = scheduled.shift()) action()
    server.look()
    return models
  }
  const state = async (modelId: string) => (await server.show(modelId)).state
  /** Guards that have taken the candidate back. */
  const tripped = () =>
    decisions.flatMap(({ guard, to }) => (guard && to === "retired" ? guard : []))
  return { server, send, state, clock, logged, decisions, tripped, path }
}

/** As if it had just been loaded. */
function anew(loaded: LoadedModel, nowMs: () => number): LoadedModel {
  const classifier = cachedClassifier(loaded.uncached, CACHE)
  return { ...loaded, classifier, meter: new ArmMeter(), breaker: new CircuitBreaker(nowMs) }
}

function changed(loaded: LoadedModel, change: Change): LoadedModel {
  const uncached = { ...loaded.uncached, ...change(loaded.uncached) }
  const lookup = (input: Parameters<typeof uncached.classify>[0]) => ({
    classification: uncached.classify(input),
    cached: false,
  })
  const classifier = { ...loaded.classifier, ...change(uncached), lookup, warm: () => undefined }
  return { ...loaded, uncached, classifier }
}
