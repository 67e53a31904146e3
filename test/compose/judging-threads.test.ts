import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { judgingParts, threadedJudging } from "../../src/compose/flow-parts.ts"
import { type OpenedJudgingThreads, openJudgingThreads } from "../../src/compose/judging-threads.ts"
import { modelDirectories, openServedModels, type ServedModels } from "../../src/compose/models.ts"
import { type Config, readConfig } from "../../src/config.ts"
import type { FetchedEvidence } from "../../src/events.ts"
import { createLogger } from "../../src/log.ts"
import { toEvidenceDocument } from "../../src/ml/sessions/evidence-document.ts"
import { generateSessions } from "../../src/ml/sessions/generate-sessions.ts"
import { registerPayloadModel } from "../../src/ml/training/register-payload-model.ts"
import { createTelemetry } from "../../src/telemetry.ts"
import { listObserver } from "../support/list-sink.ts"
import { operatorContext } from "../support/operator-context.ts"
import { DEADLY_SESSION } from "../support/troubled-judging-worker.ts"

const TROUBLED = new URL("../support/troubled-judging-worker.ts", import.meta.url)
const log = createLogger({ write: () => undefined, nowMs: Date.now, level: "error" })

let root = ""
let config: Config
let models: ServedModels
let threads: OpenedJudgingThreads | undefined
const telemetry = createTelemetry()

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "sentinel-judging-"))
  config = readConfig({ SENTINEL_DATA_DIR: root, SENTINEL_ANALYSIS_THREADS: "1" })
  models = await openServedModels(config)
}, 60_000)
afterEach(() => threads?.close())
afterAll(async () => {
  telemetry.close()
  await rm(root, { recursive: true, force: true })
})

function open(worker?: URL): OpenedJudgingThreads {
  const parts = { config, log, telemetry, observer: listObserver(), server: models.server }
  threads = openJudgingThreads({ ...parts, ...(worker && { worker }) })
  return threads
}

function evidence(sessionId: string, bytes: Uint8Array): FetchedEvidence {
  return {
    ...{ form: "created", eventId: `event of ${sessionId}`, idempotencyKey: sessionId, sessionId },
    ...{ eventTimeMs: 0, eventTimeSource: "event", source: "test", sha256: undefined },
    location: { kind: "inline", bytes },
    context: { tags: [], isTor: false, isVpn: false, priorPoiCount: 0 },
    objects: [{ key: "", bytes, modifiedMs: 0 }],
  }
}

/** Lookups in vain, as a scrape reads them. */
async function missesShown(): Promise<number> {
  const series = 'cerberus_sentinel_cache_hits_total{cache_type="payload",status="miss"} '
  const line = (await telemetry.render()).split("\n").find((each) => each.startsWith(series))
  return Number(line?.slice(series.length))
}

function generatedEvidence(count: number): readonly FetchedEvidence[] {
  return [...generateSessions({ seed: 5, count, mix: { benign: 1, attack: 1 } })].map(
    ({ session }) => {
      const document = JSON.stringify(toEvidenceDocument(session))
      return evidence(session.sessionId, new TextEncoder().encode(document))
    },
  )
}

// threads open their models, and one test trains one: on a busy machine that takes its time
setDefaultTimeout(300_000)

describe("openJudgingThreads", () => {
  test("judge gives the verdicts that this thread would give, and leaves the bytes here", async () => {
    const judging = open()
    const given = generatedEvidence(6)
    const parts = judgingParts(models, config)
    const here = threadedJudging(parts, { threads: judging, observer: listObserver() })
    const expected = await Promise.all(
      given.map(async (each) => here.operator.process(each, operatorContext())),
    )
    expect(await judging.judge(given)).toEqual(expected)
    expect(expected.some(({ verdict }) => verdict.verdict === "simulate")).toBe(true)
    expect(given.every(({ objects }) => (objects[0]?.bytes.length ?? 0) > 0)).toBe(true)
  })

  test("judge leaves out what cannot be judged, and counts for this process", async () => {
    const before = [models.server.report().cache.misses, await missesShown()]
    const [well] = generatedEvidence(1)
    if (well === undefined) throw new Error("one was asked for")
    const answers = await open().judge([evidence("broken", Buffer.from("{")), well])
    expect(answers.map((answer) => answer?.idempotencyKey)).toEqual([undefined, well.sessionId])
    const after = [models.server.report().cache.misses, await missesShown()]
    const [reported = 0, shown = 0] = after.map((count, index) => count - (before[index] ?? 0))
    expect(reported).toBeGreaterThan(0)
    expect(shown).toBe(reported)
  })

  test("threadedJudging tells of the steps inside, with places for each here and in the threads", () => {
    const running = { threads: open(), observer: listObserver() }
    const judging = threadedJudging(judgingParts(models, config), running)
    const places = judging
      .operatorStats()
      .map(({ operator, concurrency }) => [operator, concurrency])
    expect(Object.fromEntries(places)).toMatchObject({ verify_integrity: 8, explain_verdict: 2 })
  })

  test("a thread that dies is replaced", async () => {
    const judging = open(TROUBLED)
    const deadly = evidence(DEADLY_SESSION, Buffer.from("{}"))
    await expect(judging.judge([deadly])).rejects.toMatchObject({ code: "WORKER_FAILED" })
    expect(judging.isReady()).toBe(false)
    expect(await judging.start()).toBe(true)
    const [well] = await judging.judge(generatedEvidence(1))
    expect(well?.verdict.integrity).toBe("verified")
  })

  test("threads that cannot start say so, and are never ready", async () => {
    const judging = open(new URL("../support/no-such-worker.ts", import.meta.url))
    expect(await judging.start()).toBe(false)
    expect(judging.isReady()).toBe(false)
  })

  // Last: the model that it promotes goes on answering.
  test("threads judge by the model that was promoted, and their comparisons count", async () => {
    const judging = open()
    const before = await judging.judge(generatedEvidence(2))
    const live = models.server.snapshot().live
    const by = { directories: modelDirectories(config), parent: live, codeVersion: "test" }
    const { modelId } = await registerPayloadModel({ ...by, seed: 8, generated: 16_000 })
    await models.server.promote({ modelId, percent: 100 })
    const after = await judging.judge(generatedEvidence(2))
    const named = [...before, ...after].map((verdict) => verdict?.verdict.model.payload)
    expect(named).toEqual([live, live, modelId, modelId])
    expect(models.server.report().trial?.agreement.compared).toBeGreaterThan(0)
  })
})
