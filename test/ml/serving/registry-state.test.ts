import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import {
  endProbation,
  initialState,
  isSameTraffic,
  nextStage,
  promote,
  promoteSecondTier,
  rollback,
  stateOf,
  takeSecondTierAway,
  withoutModel,
} from "../../../src/ml/serving/registry-state.ts"
import { type RegistryState, TRANSITIONS_MAX } from "../../../src/model-traffic.ts"

const START = initialState("m/1")
const at = { nowMs: 1_000, auto: false, reason: "a person asked for it" }
const promoted = (state: RegistryState, modelId: string, percent: number) =>
  promote(state, { ...at, modelId, percent })

describe("registry state", () => {
  test("promote takes a model through shadow and canary to live, and the old one stays at hand", () => {
    const shadow = promoted(START, "m/2", 0)
    expect([stateOf(shadow, "m/2"), shadow.plan.live]).toEqual(["shadow", "m/1"])
    const canary = promoted(shadow, "m/2", 10)
    expect(canary.plan.trial).toMatchObject({ mode: "canary", percent: 10, referenceId: "m/1" })
    const live = promoted(canary, "m/2", 100)
    expect(live.plan).toMatchObject({ revision: 3, live: "m/2", lastGood: "m/1" })
    expect(live.plan.trial).toMatchObject({ mode: "probation", percent: 100, referenceId: "m/1" })
    expect([stateOf(live, "m/1"), stateOf(live, "m/2")]).toEqual(["retired", "live"])
    expect(live.models["m/2"]?.transitions.map(({ from, to }) => `${from}-${to}`)).toEqual([
      "candidate-shadow",
      "shadow-canary",
      "canary-live",
    ])
    expect(endProbation(live).plan).toMatchObject({
      live: "m/2",
      lastGood: "m/1",
      trial: undefined,
    })
  })

  test("promote frees a model that was on trial before", () => {
    const state = promoted(promoted(START, "m/2", 10), "m/3", 1)
    expect([stateOf(state, "m/2"), stateOf(state, "m/3")]).toEqual(["candidate", "canary"])
  })

  test("rollback ends a canary, then a promotion, then has nothing to go back to", () => {
    const canary = rollback(promoted(promoted(START, "m/2", 100), "m/3", 10), at)
    expect(canary?.plan).toMatchObject({ live: "m/2", lastGood: "m/1", trial: undefined })
    const back = canary && rollback(canary, at)
    expect(back?.plan).toMatchObject({ live: "m/1", lastGood: undefined })
    expect(back && [stateOf(back, "m/1"), stateOf(back, "m/2")]).toEqual(["live", "retired"])
    expect(back && rollback(back, at)).toBeUndefined()
  })

  test("withoutModel puts another model in the place of a live one that cannot be served", () => {
    const state = withoutModel(promoted(START, "m/2", 100), "m/2", { ...at, live: "m/1" })
    expect(state.plan).toMatchObject({ live: "m/1", lastGood: undefined, trial: undefined })
    expect([stateOf(state, "m/1"), stateOf(state, "m/2")]).toEqual(["live", "retired"])
  })

  test("nextStage goes from 1 to 10 to 100 and ends", () => {
    expect([0, 1, 5, 10, 50, 100].map(nextStage)).toEqual([1, 10, 10, 100, 100, undefined])
  })

  test("any sequence of decisions leaves one live model, and states that agree with the plan", () => {
    const decision = fc.record({
      kind: fc.constantFrom(
        "promote" as const,
        "rollback" as const,
        "settle" as const,
        "lose" as const,
      ),
      modelId: fc.constantFrom("m/1", "m/2", "m/3", "m/4"),
      percent: fc.constantFrom(0, 1, 10, 50, 100),
    })
    fc.assert(
      fc.property(fc.array(decision, { minLength: 50, maxLength: 250 }), (decisions) => {
        decisions.reduce((state, given) => {
          const next = decide(state, given)
          expectConsistent(next)
          return next
        }, START)
      }),
    )
  })
})

interface Given {
  readonly kind: "promote" | "rollback" | "settle" | "lose"
  readonly modelId: string
  readonly percent: number
}

/** What the server would do: it never promotes what is live, and m/1 is shipped and never lost. */
function decide(state: RegistryState, { kind, modelId, percent }: Given): RegistryState {
  const { live, trial } = state.plan
  if (kind === "promote") return modelId === live ? state : promoted(state, modelId, percent)
  if (kind === "rollback") return rollback(state, at) ?? state
  if (kind === "settle") return trial?.mode === "probation" ? endProbation(state) : state
  return modelId === "m/1" ? state : withoutModel(state, modelId, { ...at, live: "m/1" })
}

function expectConsistent({ plan, models }: RegistryState): void {
  const { live, lastGood, trial } = plan
  const inState = (wanted: string) =>
    Object.entries(models).flatMap(([id, { state }]) => (state === wanted ? [id] : []))
  expect(inState("live")).toEqual([live])
  const tried = trial === undefined || trial.mode === "probation" ? [] : [trial.modelId]
  expect([...inState("canary"), ...inState("shadow")]).toEqual(tried)
  expect(lastGood).not.toBe(live)
  expect(trial?.referenceId).not.toBe(trial?.modelId ?? "")
  const longest = Math.max(...Object.values(models).map(({ transitions }) => transitions.length))
  expect(longest).toBeLessThanOrEqual(TRANSITIONS_MAX)
}

describe("registry state: the second tier", () => {
  const decision = { nowMs: 1_000, reason: "a person asked for it" }
  const seconded = (state: RegistryState, modelId: string, percent = 100) =>
    promoteSecondTier(state, { ...decision, modelId, percent })

  test("promoteSecondTier puts a model beside the live one and retires the one before it", () => {
    const first = seconded(START, "d/1")
    expect([first.plan.live, first.plan.secondTier, first.plan.revision]).toEqual(["m/1", "d/1", 1])
    const next = seconded(first, "d/2")
    expect([next.plan.secondTier, next.plan.revision]).toEqual(["d/2", 2])
    const states = ["m/1", "d/1", "d/2"].map((id) => stateOf(next, id))
    expect(states).toEqual(["live", "retired", "live"])
  })

  test("promoteSecondTier takes a model through shadow and canary to live, and takes no other's place for it", () => {
    let state = START
    const seen: unknown[] = []
    for (const percent of [0, 10, 100]) {
      state = seconded(state, "d/1", percent)
      const { secondTier, secondTierPercent } = state.plan
      seen.push([secondTier, secondTierPercent, stateOf(state, "d/1")])
    }
    expect(seen).toEqual([
      ["d/1", 0, "shadow"],
      ["d/1", 10, "canary"],
      ["d/1", undefined, "live"],
    ])
    expect(state.models["d/1"]?.transitions.map(({ to }) => to)).toEqual([
      "shadow",
      "canary",
      "live",
    ])
    const away = takeSecondTierAway(seconded(START, "d/1", 10), decision)
    expect([away?.plan.secondTier, away?.plan.secondTierPercent]).toEqual([undefined, undefined])
  })

  test("takeSecondTierAway leaves the fast tier as it is; without one there is nothing to take", () => {
    const canary = promoted(seconded(START, "d/1"), "m/2", 10)
    const alone = takeSecondTierAway(canary, decision)
    expect(alone?.plan.secondTier).toBeUndefined()
    expect(alone && isSameTraffic(alone.plan, canary.plan)).toBe(true)
    expect(alone && stateOf(alone, "d/1")).toBe("retired")
    expect(takeSecondTierAway(START, decision)).toBeUndefined()
  })

  test("promote, rollback and withoutModel of the fast tier leave the second one where it is", () => {
    const start = promoted(seconded(START, "d/1"), "m/2", 100)
    const back = rollback(start, decision)
    const without = withoutModel(start, "m/2", { ...decision, live: "m/1" })
    const seconds = [start, back, without].map((state) => state?.plan.secondTier)
    expect(seconds).toEqual(["d/1", "d/1", "d/1"])
    expect(isSameTraffic(start.plan, without.plan)).toBe(false)
  })
})
