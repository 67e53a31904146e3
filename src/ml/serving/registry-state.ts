import {
  type ModelDecision,
  type ModelRecord,
  type ModelState,
  type RegistryState,
  TRANSITIONS_MAX,
  type TrafficPlan,
  type Trial,
} from "../../model-traffic.ts"

/** Shares of the sessions that a canary is given one after the other. */
export const CANARY_STAGES = [1, 10, 100] as const

export interface Promotion {
  readonly modelId: string
  /** 0 = in the shadow, 100 = live, between = canary */
  readonly percent: number
  readonly auto: boolean
  readonly nowMs: number
  readonly reason: string
}

interface Decision {
  readonly nowMs: number
  readonly reason: string
}

/** The state of a registry in which nothing was decided yet. */
export function initialState(live: string): RegistryState {
  const plan = { revision: 0, live, lastGood: undefined, trial: undefined }
  return { plan, models: { [live]: { state: "live", transitions: [] } } }
}

export function stateOf(state: RegistryState, modelId: string): ModelState {
  return state.models[modelId]?.state ?? "candidate"
}

/** Gives a model that is not live its share; a model that was on trial before it becomes a candidate again. */
export function promote(state: RegistryState, promotion: Promotion): RegistryState {
  const { modelId, percent, auto, nowMs } = promotion
  const { plan } = state
  const freed = endTrial(state, { nowMs, modelId, reason: `${modelId} is tried instead` })
  const isLive = percent >= 100
  const mode = isLive ? "probation" : percent <= 0 ? "shadow" : "canary"
  const trial: Trial = { modelId, mode, percent, auto, referenceId: plan.live, sinceMs: nowMs }
  const to = mode === "probation" ? "live" : mode
  const moved = isLive
    ? transition(freed, plan.live, "retired", { ...promotion, percent: 0 })
    : freed
  return {
    plan: {
      ...plan,
      revision: plan.revision + 1,
      live: isLive ? modelId : plan.live,
      lastGood: isLive ? plan.live : plan.lastGood,
      trial,
    },
    models: transition(moved, modelId, to, promotion).models,
  }
}

/**
 * Ends a shadow or a canary; without one, the model that was live before becomes live again.
 * @returns undefined where there is nothing to go back to
 */
export function rollback(state: RegistryState, decision: Decision): RegistryState | undefined {
  const { plan } = state
  const given = { ...decision, percent: 0 }
  if (plan.trial !== undefined && plan.trial.mode !== "probation") {
    const models = transition(state, plan.trial.modelId, "retired", given).models
    return { plan: { ...plan, revision: plan.revision + 1, trial: undefined }, models }
  }
  if (plan.lastGood === undefined) return undefined
  const retired = transition(state, plan.live, "retired", given)
  const back = transition(retired, plan.lastGood, "live", { ...decision, percent: 100 })
  const { revision, lastGood: live } = plan
  return {
    plan: { ...plan, revision: revision + 1, live, lastGood: undefined, trial: undefined },
    models: back.models,
  }
}

/** The live model has stood its trial; the one before it stays at hand. */
export function endProbation(state: RegistryState): RegistryState {
  const { plan } = state
  return { ...state, plan: { ...plan, revision: plan.revision + 1, trial: undefined } }
}

/** Takes a model that cannot be served out of the plan: `live` is who answers instead. */
export function withoutModel(
  state: RegistryState,
  modelId: string,
  decision: Decision & { readonly live: string },
): RegistryState {
  const { trial, lastGood, live } = state.plan
  const isOfTrial = trial?.modelId === modelId || trial?.referenceId === modelId
  const freed = isOfTrial ? endTrial(state, { ...decision, modelId }) : state
  const retired = transition(freed, modelId, "retired", { ...decision, percent: 0 })
  const plan: TrafficPlan = {
    ...state.plan,
    revision: state.plan.revision + 1,
    live: live === modelId ? decision.live : live,
    lastGood: lastGood === modelId || live === modelId ? undefined : lastGood,
    trial: isOfTrial ? undefined : trial,
  }
  if (live !== modelId) return { plan, models: retired.models }
  const back = transition(retired, decision.live, "live", { ...decision, percent: 100 })
  return { plan, models: back.models }
}

/** Makes a model the second tier, of all sessions or of a share; another one that was it retires. */
export function promoteSecondTier(
  state: RegistryState,
  promotion: Omit<Promotion, "auto">,
): RegistryState {
  const { modelId, percent } = promotion
  const { plan } = state
  const freed = plan.secondTier === modelId ? state : takeSecondTierAway(state, promotion)
  const to = percent >= 100 ? "live" : percent <= 0 ? "shadow" : "canary"
  const { models } = transition(freed ?? state, modelId, to, promotion)
  const share = { secondTier: modelId, secondTierPercent: percent >= 100 ? undefined : percent }
  return { plan: { ...plan, ...share, revision: plan.revision + 1 }, models }
}

/** The fast tier answers alone again. @returns undefined where it does already */
export function takeSecondTierAway(
  state: RegistryState,
  decision: Decision,
): RegistryState | undefined {
  const { plan } = state
  if (plan.secondTier === undefined) return undefined
  const { models } = transition(state, plan.secondTier, "retired", { ...decision, percent: 0 })
  const none = { secondTier: undefined, secondTierPercent: undefined }
  return { plan: { ...plan, ...none, revision: plan.revision + 1 }, models }
}

/** What was decided between two states, in the order in which it was, model by model. */
export function decisionsBetween(
  before: RegistryState,
  after: RegistryState,
  guard?: string,
): readonly ModelDecision[] {
  const { live, revision } = after.plan
  return Object.entries(after.models).flatMap(([modelId, { transitions }]) => {
    const known = before.models[modelId]?.transitions ?? []
    const added = transitions.filter((transition) => !known.includes(transition))
    return added.map((transition) => ({ ...transition, modelId, guard, live, revision }))
  })
}

/** Whether two plans have the same models of the fast tier answer the same payloads. */
export function isSameTraffic(one: TrafficPlan, other: TrafficPlan): boolean {
  return (
    one.live === other.live &&
    one.lastGood === other.lastGood &&
    Bun.deepEquals(one.trial, other.trial)
  )
}

/** The share after this one; undefined at the end. */
export function nextStage(percent: number): number | undefined {
  return CANARY_STAGES.find((stage) => stage > percent)
}

/** A model that was in the shadow or a canary is a candidate again, unless it is the one in question. */
function endTrial(
  state: RegistryState,
  { nowMs, modelId, reason }: Decision & { readonly modelId: string },
): RegistryState {
  const { trial } = state.plan
  if (trial === undefined || trial.mode === "probation" || trial.modelId === modelId) return state
  return transition(state, trial.modelId, "candidate", { nowMs, reason, percent: 0 })
}

function transition(
  state: RegistryState,
  modelId: string,
  to: ModelState,
  { nowMs, reason, percent }: Decision & { readonly percent: number },
): RegistryState {
  const from = stateOf(state, modelId)
  const before = state.models[modelId]?.transitions ?? []
  const entry = { at: new Date(nowMs).toISOString(), from, to, percent, reason }
  const transitions = [...before, entry].slice(-TRANSITIONS_MAX)
  const record: ModelRecord = { state: to, transitions }
  return { ...state, models: { ...state.models, [modelId]: record } }
}
