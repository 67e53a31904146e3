import type { Rule } from "../rule.ts"
import type { SimulationResult } from "../simulation-result.ts"
import { assembleRule, type RuleProvenance } from "./assemble-rule.ts"
import type { MadePattern, PatternTask } from "./make-pattern.ts"
import { findRelatives, type Works } from "./relatives.ts"
import { RuleRefusedError } from "./rule-refused-error.ts"
import { coveringRule, replacedRules } from "./subsume.ts"

/** A payload that a simulation proved, with what is known of it. */
export interface ProvenExploit {
  readonly payload: string
  /** Where the evidence found it, e.g. `query:q`. */
  readonly location: string
  readonly result: SimulationResult
  readonly provenance: RuleProvenance
  /** Payloads of the same class that the store holds near this one. */
  readonly neighbours: readonly string[]
}

export interface GenerationParts {
  /** Whether a text still has the effect that was proven: a run in the template of the proof. */
  readonly works: Works
  /** `makePattern` with the benign corpora, in a thread where one is at hand. */
  readonly makePattern: (task: PatternTask, signal?: AbortSignal) => Promise<PatternOutcome>
  /** Rules that are decided or wait for a person. */
  readonly existing: readonly Rule[]
  readonly nowMs: number
  readonly timeToLiveMs: number
  readonly limits?: RelativesLimits
  readonly signal?: AbortSignal
}

export interface PatternOutcome {
  readonly made: MadePattern | undefined
  /** Benign texts that it was held against, by corpus. */
  readonly corpora: Readonly<Record<string, number>>
}

export interface RelativesLimits {
  /** Relatives to make the rule from, and as many others to measure it with. */
  readonly count: number
  /** Texts that are tried for each of the two. */
  readonly attemptsMax: number
  /** Milliseconds for both. */
  readonly timeMs: number
}

/** Enough that a rule which matches all of them is sure of its coverage; half a minute of twins. */
export const RELATIVES: RelativesLimits = { count: 40, attemptsMax: 120, timeMs: 60_000 }
const NEIGHBOURS_MAX = 10
/** Other texts come of each; what tests a rule never made it. */
const SEEDS = { making: 1, testing: 2 } as const

export type Generation =
  | { readonly kind: "rule"; readonly rule: Rule }
  /** An existing rule does it already. */
  | { readonly kind: "covered"; readonly by: Rule }
  | { readonly kind: "refused"; readonly reason: string }

/**
 * The rule that blocks a proven exploit and its relatives and meets nothing benign, or why there is
 * none. Deterministic but for the time limit of the relatives.
 * @throws what `works` and `makePattern` throw: an outage is no refusal
 */
export async function generateRule(
  exploit: ProvenExploit,
  parts: GenerationParts,
): Promise<Generation> {
  const { result } = exploit
  if (result.verdict !== "exploit_possible") return refused("the simulation proves no exploit")
  const task = await patternTask(exploit, parts)
  const by = coveringRule(parts.existing, task)
  if (by !== undefined) return { kind: "covered", by }
  const { made, corpora } = await parts.makePattern(task, parts.signal)
  if (made === undefined) {
    return refused("every pattern that covers it meets benign requests or says too little")
  }
  const { nowMs, timeToLiveMs, existing } = parts
  const { provenance } = exploit
  return checked(() => {
    const rule = assembleRule({ task, made, result, provenance, corpora, nowMs, timeToLiveMs })
    const replaces = replacedRules(existing, rule, task.location).map(({ rule_id }) => rule_id)
    return { ...rule, audit: { ...rule.audit, replaces } }
  })
}

function refused(reason: string): Generation {
  return { kind: "refused", reason }
}

function checked(assemble: () => Rule): Generation {
  try {
    return { kind: "rule", rule: assemble() }
  } catch (error) {
    if (error instanceof RuleRefusedError) return refused(error.message)
    throw error
  }
}

async function patternTask(exploit: ProvenExploit, parts: GenerationParts): Promise<PatternTask> {
  const { payload, location, result } = exploit
  const { count, attemptsMax, timeMs } = parts.limits ?? RELATIVES
  const deadline = AbortSignal.timeout(timeMs)
  const signal = parts.signal === undefined ? deadline : AbortSignal.any([parts.signal, deadline])
  const label = result.attack_type
  const options = { class: label, works: parts.works, count, attemptsMax, signal }
  const heldOut = await findRelatives(payload, { ...options, seed: SEEDS.testing })
  const mutations = await findRelatives(payload, {
    ...options,
    seed: SEEDS.making,
    known: new Set(heldOut),
  })
  const neighbours = await workingNeighbours(exploit, { ...parts, signal })
  return {
    class: label,
    payload,
    minimised: result.minimised_payload,
    location,
    relatives: [...mutations, ...neighbours.filter((text) => !heldOut.includes(text))],
    heldOut,
  }
}

/** Those that have the same effect in the same template: the others are attacks of their own. */
async function workingNeighbours(
  { payload, neighbours }: ProvenExploit,
  { works, signal }: Pick<GenerationParts, "works" | "signal">,
): Promise<readonly string[]> {
  const working: string[] = []
  const others = [...new Set(neighbours)].filter((text) => text !== payload)
  for (const text of others.slice(0, NEIGHBOURS_MAX)) {
    if (signal?.aborted === true) break
    if (await works(text)) working.push(text)
  }
  return working
}
