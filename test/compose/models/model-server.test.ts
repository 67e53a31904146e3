import { describe, expect, test } from "bun:test"
import { cp, rm } from "node:fs/promises"
import { join } from "node:path"
import { LOOK_EVERY_MS } from "../../../src/compose/models/model-server.ts"
import {
  ModelNotPromotableError,
  ModelRefusedError,
  ModelUnknownError,
  UnavailableError,
} from "../../../src/errors.ts"
import { MEMORY_GROWTH_MAX, MEMORY_LOOKS } from "../../../src/ml/serving/trial-guards.ts"
import {
  PROBATION_MS,
  STAGE_COMPARISONS_MIN,
  STAGE_HOLD_MS,
} from "../../../src/ml/serving/trial-steps.ts"
import { failing, flipping } from "../../support/served-models.ts"
import {
  type Change,
  directories,
  GOOD,
  LIVE,
  POOR,
  root,
  start,
} from "../../support/started-model-server.ts"

describe("ModelServer: states", () => {
  test("ModelServer lists shipped and registered models with what keeps them from promotion", async () => {
    const { server } = await start()
    const models = await server.list()
    const rows = models.map(({ info, state, origin }) => [info.modelId, state, origin])
    expect(rows).toEqual([
      [POOR, "candidate", "registered"],
      [GOOD, "candidate", "registered"],
      [LIVE, "live", "shipped"],
    ])
    expect(models[0]?.obstacles.join()).toMatch(
      /(recall|precision|f1|fpr) is 0\.\d+, at (least|most)/,
    )
    expect(models[1]?.obstacles).toEqual([])
    expect(models[2]?.obstacles).toEqual(["it is live already"])
    const { lineage, card, gates } = await server.show(GOOD)
    expect(lineage).toMatchObject({ parent: LIVE, code_version: "test", seed: 8 })
    expect([card.includes("# payload-linear/1.0.1"), gates]).toMatchObject([true, { met: true }])
  })

  test("promote refuses an unknown model, one that misses its gates and one that is live", async () => {
    const { server } = await start()
    const promote = (modelId: string, percent: number) => server.promote({ modelId, percent })
    await expect(promote("payload-linear/9.9.9", 10)).rejects.toThrow(ModelUnknownError)
    await expect(promote("../../etc/passwd", 10)).rejects.toThrow(ModelUnknownError)
    await expect(promote(POOR, 10)).rejects.toThrow(ModelNotPromotableError)
    await expect(promote(LIVE, 10)).rejects.toThrow("it is live already")
    expect((await promote(LIVE, 100)).state).toBe("live")
    expect(server.snapshot().revision).toBe(0)
  })

  test("promote goes from shadow over canary to live; rollback brings back the model before", async () => {
    const { server, send, state } = await start()
    await server.promote({ modelId: GOOD, percent: 0 })
    expect([await state(GOOD), [...send(50)]]).toEqual(["shadow", [LIVE]])
    const shadow = (await server.show(GOOD)).traffic as { answers_by_class: object }
    const judged = Object.values(shadow.answers_by_class).reduce((sum, count) => sum + count, 0)
    expect([judged, shadow]).toMatchObject([
      50,
      {
        arm: "shadow",
        drift_psi: { registration: expect.any(Number), reference: expect.any(Number) },
      },
    ])
    await server.promote({ modelId: GOOD, percent: 50 })
    expect([await state(GOOD), [...send(50)].sort()]).toEqual(["canary", [LIVE, GOOD]])
    await server.promote({ modelId: GOOD, percent: 100 })
    expect([await state(GOOD), await state(LIVE), [...send(50)]]).toEqual([
      "live",
      "retired",
      [GOOD],
    ])
    expect(await server.rollback("a person saw something")).toMatchObject({ modelId: LIVE })
    expect([await state(GOOD), await state(LIVE), [...send(50)]]).toEqual([
      "retired",
      "live",
      [LIVE],
    ])
    await expect(server.rollback("again")).rejects.toThrow("no model was live before this one")
    const { transitions } = await server.show(GOOD)
    expect(transitions.at(-1)).toMatchObject({
      from: "live",
      to: "retired",
      reason: "a person saw something",
    })
  })

  test("promote holds the registered figures of both models side by side, and refuses nothing for them", async () => {
    const { server } = await start()
    const { comparison } = await server.promote({ modelId: GOOD, percent: 0 })
    expect(comparison).toMatchObject({ modelId: GOOD, live: LIVE })
    const recall = comparison?.figures.find(({ figure }) => figure === "recall")
    expect([recall?.model, recall?.live]).toEqual([expect.any(Number), expect.any(Number)])
    expect((await server.show(GOOD)).comparison).toEqual(comparison ?? null)
    expect((await server.show(LIVE)).comparison).toBeNull()
    expect((await server.show(GOOD)).lineage).toMatchObject({ with_collected_data: false })
  })

  test("promote hands on what the live model remembers, so that nothing known is judged anew", async () => {
    const { server } = await start()
    server.classifier.classify({ text: "asked often" })
    await server.promote({ modelId: GOOD, percent: 100 })
    const { cached, classification } = server.classifier.lookup({ text: "asked often" })
    expect([cached, classification.model]).toEqual([true, GOOD])
  })

  test("a server that starts again goes on by the plan that it had, whatever it was", async () => {
    const first = await start()
    await first.server.promote({ modelId: GOOD, percent: 10, auto: true })
    const second = await start({ registry: first.path })
    expect(second.server.snapshot()).toEqual(first.server.snapshot())
    expect(second.server.snapshot().trial).toMatchObject({ percent: 1, auto: true })
    await second.server.promote({ modelId: GOOD, percent: 100 })
    const third = await start({ registry: first.path })
    expect(third.send(10)).toEqual(new Set([GOOD]))
    await third.server.rollback("not good after all")
    expect((await start({ registry: first.path })).send(10)).toEqual(new Set([LIVE]))
  })

  test("a decision that cannot be written down changes nothing", async () => {
    const { server, send } = await start({
      registry: join(root, "shipped", "payload-linear", "1.0.0", "card.md", "x"),
    })
    await expect(server.promote({ modelId: GOOD, percent: 100 })).rejects.toThrow(UnavailableError)
    expect([...send(10)]).toEqual([LIVE])
    expect(server.snapshot().revision).toBe(0)
  })
})

describe("ModelServer: decisions", () => {
  test("onDecided is told of each decision, and of the guard where one made it", async () => {
    const { server, send, decisions } = await start({ change: failing })
    await server.promote({ modelId: GOOD, percent: 100, reason: "it is Monday" })
    const told = () =>
      decisions
        .splice(0)
        .map(({ modelId, from, to, live, guard }) => [modelId, from, to, live, guard])
    expect(decisions[0]).toMatchObject({ revision: 1, percent: 0, reason: "it is Monday" })
    expect(told()).toEqual([
      [LIVE, "live", "retired", GOOD, undefined],
      [GOOD, "candidate", "live", GOOD, undefined],
    ])
    send(100)
    send(100)
    expect(told()).toEqual([
      [LIVE, "retired", "live", LIVE, "errors"],
      [GOOD, "live", "retired", LIVE, "errors"],
    ])
  })

  test("onDecided is told of a model that could not be served at the start", async () => {
    const first = await start()
    await first.server.promote({ modelId: GOOD, percent: 100 })
    const state = await Bun.file(first.path).text()
    await Bun.write(first.path, state.replaceAll(GOOD, "payload-linear/1.9.9"))
    const { decisions } = await start({ registry: first.path })
    expect(decisions.map(({ modelId, to, reason }) => [modelId, to, reason])).toEqual([
      [LIVE, "live", expect.stringContaining("its files are gone")],
      ["payload-linear/1.9.9", "retired", expect.stringContaining("its files are gone")],
    ])
  })
})

describe("ModelServer: models that cannot be served", () => {
  const edit = (file: string, from: RegExp, to: string) => async (directory: string) => {
    const path = join(directory, file)
    await Bun.write(path, (await Bun.file(path).text()).replace(from, to))
  }

  /** A candidate of its own whose files are changed before it is promoted. */
  async function damaged(version: string, damage: (directory: string) => Promise<unknown>) {
    const { registered } = directories()
    const directory = join(registered, "payload-linear", version)
    const modelId = `payload-linear/${version}`
    await cp(join(registered, GOOD), directory, { recursive: true })
    await edit("metrics.json", /"model_id": "[^"]+"/, `"model_id": "${modelId}"`)(directory)
    await damage(directory)
    return modelId
  }

  test("promote refuses a model with another digest or schema, and the old one keeps serving", async () => {
    const { server, send } = await start()
    const zeros = `"feature_schema_sha256": "${"0".repeat(64)}"`
    const damages = [
      ["1.5.0", edit("schema.json", /"feature_schema_sha256": "\w+"/, zeros)],
      ["1.5.1", edit("metrics.json", /"model_sha256": "\w+"/, '"model_sha256": "other"')],
      ["1.5.3", edit("metrics.json", /"model_id": "[^"]+"/, '"model_id": "payload-linear/9.0.0"')],
      ["1.5.2", (directory: string) => Bun.write(join(directory, "model.onnx"), "no model")],
    ] as const
    for (const [version, damage] of damages) {
      const modelId = await damaged(version, damage)
      await expect(server.promote({ modelId, percent: 10 })).rejects.toThrow(ModelRefusedError)
    }
    expect([...send(10)]).toEqual([LIVE])
  })

  test("a server whose live model is gone or broken starts with the one before it, and says so", async () => {
    const first = await start()
    const modelId = await damaged("1.6.0", async () => undefined)
    await first.server.promote({ modelId, percent: 100 })
    await rm(join(directories().registered, "payload-linear", "1.6.0"), { recursive: true })
    const second = await start({ registry: first.path })
    expect([...second.send(10)]).toEqual([LIVE])
    expect(second.logged.join()).toContain("a model cannot be served")
    expect((await start({ registry: first.path })).server.snapshot().live).toBe(LIVE)
  })

  test("a registry that nobody understands is said aloud, and the shipped model serves", async () => {
    const registry = join(root, "nonsense.json")
    await Bun.write(registry, '{"format": 99}')
    const { send, logged } = await start({ registry })
    expect([...send(10)]).toEqual([LIVE])
    expect(logged.join()).toContain("the model registry is not understood")
  })
})

describe("ModelServer: guards", () => {
  let clock: Awaited<ReturnType<typeof start>>["clock"]
  const slow: Change = (classifier) => ({
    classify(input) {
      clock.monotonicMs += 5
      return classifier.classify(input)
    },
  })

  test.each([
    ["errors", failing, 50],
    ["latency", slow, 50],
    ["missed_attacks", flipping, 50],
    ["errors", failing, 100],
    ["latency", slow, 100],
    ["missed_attacks", flipping, 100],
  ] as const)(
    "a guard takes traffic back for %s at %p, at a share of %i percent",
    async (guard, change, percent) => {
      const started = await start({ change })
      clock = started.clock
      const { server, send, tripped, state } = started
      await server.promote({ modelId: GOOD, percent })
      // two looks are half a second of a busy server
      send(100)
      send(100)
      expect(2 * LOOK_EVERY_MS).toBeLessThan(1_000)
      expect(tripped()).toHaveLength(1)
      expect(guard === "missed_attacks" ? ["missed_attacks", "false_alarms"] : [guard]).toContain(
        tripped()[0] ?? "",
      )
      expect([...send(100)]).toEqual([LIVE])
      expect([await state(GOOD), await state(LIVE)]).toEqual(["retired", "live"])
      const { transitions, traffic } = await server.show(GOOD)
      expect(transitions.at(-1)?.reason).toContain(tripped()[0] ?? "")
      // the model is no longer loaded: what was seen of it is kept for whoever asks why
      expect(traffic).toMatchObject({ trial: { is_over: true, reference: LIVE } })
      expect((await start({ registry: started.path })).server.snapshot().live).toBe(LIVE)
    },
  )

  test("a guard takes back a model that leaks, once the growth has stayed", async () => {
    const leaked: Buffer[] = []
    const change: Change = (classifier) => ({
      classify(input) {
        leaked.push(Buffer.alloc(8 * 1_048_576, 1))
        return classifier.classify(input)
      },
    })
    const { server, send, tripped } = await start({
      change,
      residentBytes: () => process.memoryUsage.rss(),
    })
    await server.promote({ modelId: GOOD, percent: 50 })
    send((1.25 * MEMORY_GROWTH_MAX) / (8 * 1_048_576))
    for (let looks = 1; looks < MEMORY_LOOKS; looks++) server.look()
    leaked.length = 0
    expect(tripped()).toEqual(["memory"])
    expect([...send(50)]).toEqual([LIVE])
  })

  test("a guard lets two sound models of different training be", async () => {
    const { server, send, tripped } = await start()
    await server.promote({ modelId: GOOD, percent: 50 })
    for (let looks = 0; looks < 20; looks++) send(100)
    expect([tripped(), server.snapshot().trial?.modelId]).toEqual([[], GOOD])
  })

  test("a guard that cannot write its decision down takes traffic back all the same", async () => {
    const { server, send, tripped, path, logged } = await start({ change: failing })
    await server.promote({ modelId: GOOD, percent: 50 })
    await rm(path)
    await Bun.write(join(path, "in-the-way"), "")
    send(100)
    send(100)
    expect(tripped()).toEqual(["errors"])
    expect([...send(50)]).toEqual([LIVE])
    expect(logged.join()).toContain("the model registry cannot be written")
  })

  test("counts of worker processes reach the guards, those of an earlier plan do not", async () => {
    const { server, tripped } = await start()
    await server.promote({ modelId: GOOD, percent: 10 })
    const { revision } = server.snapshot()
    const own = server.report()
    const counts = own.trial && { ...own.trial.counts, errors: { events: 50, trials: 50 } }
    const report = { ...own, trial: own.trial && counts && { ...own.trial, counts } }
    server.receive("worker-1", { ...report, revision: revision - 1 })
    server.look()
    expect(tripped()).toEqual([])
    server.receive("worker-1", report)
    server.look()
    server.look()
    expect(tripped()).toEqual(["errors"])
  })

  test("the precision by feedback is of all processes, and of nobody before the first report", async () => {
    const [owner, worker] = [await start(), await start()]
    const precision = () => owner.server.gauges().models[0]?.feedbackPrecision
    worker.server.classifier.classify({ text: "1' OR '1'='1' --" })
    worker.server.classifier.classify({ text: "2' OR '1'='1' --" })
    owner.server.receive("0", worker.server.report())
    expect(precision()).toBeNull()
    owner.server.reported.add({ payload: "1' OR '1'='1' --" })
    // the owner judged the reported payload too, to know whose answer it was
    expect(precision()).toBeCloseTo(2 / 3, 10)
  })

  test("false-positive reports against a canary alone take it back", async () => {
    const { server, tripped, state } = await start({
      change: () => ({
        classify: () => ({
          ...{ class: "xss", confidence: 1, probabilities: { xss: 1, benign: 0 } },
          ...{ method: "ml", model: GOOD },
        }),
      }),
    })
    await server.promote({ modelId: GOOD, percent: 10 })
    for (let at = 0; at < 10; at++) server.reported.add({ payload: `hello ${at}` })
    server.look()
    expect([tripped(), await state(GOOD)]).toEqual([["false_positive_reports"], "retired"])
  })
})

describe("ModelServer: going on by itself", () => {
  test("a canary with auto goes from 1 to 10 to 100 percent after its time and comparisons", async () => {
    const { server, send, clock } = await start()
    await server.promote({ modelId: GOOD, percent: 100, auto: true })
    const percents = [server.snapshot().trial?.percent]
    for (let stage = 0; stage < 2; stage++) {
      clock.nowMs += STAGE_HOLD_MS
      server.look()
      expect(server.snapshot().trial?.percent).toBe(percents.at(-1) as number)
      send(STAGE_COMPARISONS_MIN)
      percents.push(server.snapshot().trial?.percent)
    }
    expect(percents).toEqual([1, 10, 100])
    expect(server.snapshot()).toMatchObject({ live: GOOD, lastGood: LIVE })
    clock.nowMs += PROBATION_MS
    server.look()
    expect(server.snapshot()).toMatchObject({ live: GOOD, lastGood: LIVE, trial: undefined })
  })

  test("applyTrafficPlan follows another process, and passes over an older plan", async () => {
    const primary = await start()
    const worker = await start()
    const sent: Promise<void>[] = []
    const stop = primary.server.subscribe((plan) => {
      sent.push(worker.server.applyTrafficPlan(structuredClone(plan)))
    })
    const before = primary.server.snapshot()
    await primary.server.promote({ modelId: GOOD, percent: 50 })
    await Promise.all(sent)
    expect(worker.server.snapshot()).toEqual(primary.server.snapshot())
    expect([...worker.send(50)].sort()).toEqual([LIVE, GOOD])
    await worker.server.applyTrafficPlan(before)
    expect(worker.server.snapshot().trial?.modelId).toBe(GOOD)
    stop()
  })
})
