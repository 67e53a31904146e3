import type { RuleOrder } from "../../operators/generate-rules.ts"
import type { RuleStore } from "../../ports/rules.ts"
import type { Clock, VerdictStore } from "../../ports.ts"
import type { Rule } from "../../rule.ts"
import { assembleRule, type RuleProvenance } from "../../rules/assemble-rule.ts"
import { decodedAscii, type PatternTask } from "../../rules/make-pattern.ts"
import { findRelatives } from "../../rules/relatives.ts"
import { RuleRefusedError } from "../../rules/rule-refused-error.ts"
import type { WorkerPool } from "../worker-pool.ts"
import type { PatternAnswer, PatternOrder } from "./pattern-worker.ts"
import { Refusals } from "./refusals.ts"

export interface RuleMakerParts {
  readonly pool: WorkerPool<PatternOrder, PatternAnswer>
  readonly verdicts: Pick<VerdictStore, "query">
  readonly rules: Pick<RuleStore, "inStates">
  readonly clock: Pick<Clock, "nowMs">
  readonly timeToLiveMs: number
  /** Labelled files whose benign rows no rule may match. */
  readonly benignDirectory?: string | undefined
}

/**
 * Relatives that a rule is made from, and others that it is measured with: of so many a rule may
 * miss three and still be applied by itself.
 */
const RELATIVES = { made: 40, measured: 80 } as const
const ATTEMPTS_PER_RELATIVE = 4
/** Of the search for either; fewer relatives make a rule less sure, not wrong. */
const SEARCH_MS = 15_000
/** Any two numbers: what they find must differ, and be the same in the next run. */
const SEEDS = { made: 1, measured: 2 } as const
const STORED_VERDICTS_MAX = 1_000
/** Exploits of other rules that are tried in the template of this one's proof. */
const NEIGHBOURS_MAX = 20

/**
 * Makes the rule for a proven exploit: relatives that still work, the pattern that covers them and
 * nothing benign, and what all of it was measured to be worth.
 * @throws RuleRefusedError where none is safe; UnavailableError
 */
export function ruleMaker(parts: RuleMakerParts): (order: RuleOrder) => Promise<Rule> {
  const refusals = new Refusals(parts.clock)
  return (order) => refusals.recall(order.subject, () => make(order, parts))
}

async function make(order: RuleOrder, parts: RuleMakerParts): Promise<Rule> {
  // the thread reads its corpus, for seconds the first time, while the sandbox is asked
  const { benignDirectory } = parts
  void parts.pool
    .run({ task: undefined, stored: [], benignDirectory }, order.signal)
    .catch(() => undefined)
  const task = await patternTask(order, neighboursOf(order, parts.rules))
  const stored = storedBenign(parts.verdicts)
  const { made, corpora } = await parts.pool.run({ task, stored, benignDirectory }, order.signal)
  if (made === undefined) throw new RuleRefusedError("every pattern for it meets benign requests")
  const provenance = provenanceOf(order)
  const { clock, timeToLiveMs } = parts
  const rule = { task, made, result: order.result, provenance, corpora }
  return assembleRule({ ...rule, nowMs: clock.nowMs(), timeToLiveMs })
}

async function patternTask(
  { subject, result, works, signal }: RuleOrder,
  neighbours: readonly string[],
): Promise<PatternTask> {
  const payload = await plainest(subject.value, works)
  const search = (purpose: keyof typeof SEEDS, known: ReadonlySet<string>) =>
    findRelatives(payload, {
      ...{ class: subject.class, works, seed: SEEDS[purpose], known },
      count: RELATIVES[purpose],
      attemptsMax: ATTEMPTS_PER_RELATIVE * RELATIVES[purpose],
      signal: AbortSignal.any([signal, AbortSignal.timeout(SEARCH_MS)]),
    })
  const relatives = await search("made", new Set())
  const isWorking = await Promise.all(neighbours.map(works))
  const working = neighbours.filter((_, index) => isWorking[index] === true)
  const heldOut = await search("measured", new Set([...relatives, ...working]))
  return {
    ...{ class: subject.class, payload, location: subject.location },
    minimised: result.minimised_payload,
    relatives: [
      ...new Set([...(payload === subject.value ? [] : [subject.value]), ...working, ...relatives]),
    ],
    heldOut,
  }
}

/**
 * What else was proven of the class, the newest first: one rule for all that works in the same way
 * takes the place of theirs. The first sample of a rule is its exploit, cut where it is long.
 */
function neighboursOf(
  { subject }: RuleOrder,
  rules: Pick<RuleStore, "inStates">,
): readonly string[] {
  return rules
    .inStates(["pending_review", "logged_only", "approved", "active"])
    .filter(({ rule }) => rule.audit.simulated && rule.evidence.attack_type === subject.class)
    .toSorted((one, other) => other.rule.created_at.localeCompare(one.rule.created_at))
    .slice(0, NEIGHBOURS_MAX)
    .flatMap(({ rule }) => rule.evidence.sample_payloads.slice(0, 1))
    .filter((value) => value !== subject.value)
}

/** Rewritings of a payload that came encoded would all keep what its encoding hides. */
async function plainest(value: string, works: RuleOrder["works"]): Promise<string> {
  const decoded = decodedAscii(value)
  return decoded !== value && (await works(decoded)) ? decoded : value
}

function provenanceOf({ task: { verdict }, subject, isProven }: RuleOrder): RuleProvenance {
  return {
    ...(verdict && {
      evidenceSha256: verdict.evidence_sha256,
      integrity: verdict.integrity,
      model: verdict.model.payload,
      verdict: verdict.verdict,
    }),
    ...(subject.confidence !== undefined && { classification: subject.confidence }),
    simulated: isProven,
  }
}

/** What this deployment saw and called benign: the beginnings of its payloads. */
function storedBenign(verdicts: Pick<VerdictStore, "query">): readonly string[] {
  const { items } = verdicts.query({ limit: STORED_VERDICTS_MAX })
  return items
    .filter(({ verdict }) => verdict.verdict === "benign")
    .flatMap(({ verdict }) => verdict.payload_predictions)
    .filter((prediction) => prediction.class === "benign")
    .map((prediction) => prediction.payload_value)
}
