import type { RuleOrder } from "../../operators/generate-rules.ts"
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
  const task = await patternTask(order)
  const stored = storedBenign(parts.verdicts)
  const { made, corpora } = await parts.pool.run({ task, stored, benignDirectory }, order.signal)
  if (made === undefined) throw new RuleRefusedError("every pattern for it meets benign requests")
  const provenance = provenanceOf(order)
  const { clock, timeToLiveMs } = parts
  const rule = { task, made, result: order.result, provenance, corpora }
  return assembleRule({ ...rule, nowMs: clock.nowMs(), timeToLiveMs })
}

async function patternTask({ subject, result, works, signal }: RuleOrder): Promise<PatternTask> {
  const payload = await plainest(subject.value, works)
  const search = (purpose: keyof typeof SEEDS, known: ReadonlySet<string>) =>
    findRelatives(payload, {
      ...{ class: subject.class, works, seed: SEEDS[purpose], known },
      count: RELATIVES[purpose],
      attemptsMax: ATTEMPTS_PER_RELATIVE * RELATIVES[purpose],
      signal: AbortSignal.any([signal, AbortSignal.timeout(SEARCH_MS)]),
    })
  const relatives = await search("made", new Set())
  const heldOut = await search("measured", new Set(relatives))
  return {
    ...{ class: subject.class, payload, location: subject.location },
    minimised: result.minimised_payload,
    relatives: payload === subject.value ? relatives : [subject.value, ...relatives],
    heldOut,
  }
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
