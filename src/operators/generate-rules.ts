import { SentinelError } from "../errors.ts"
import type { Sandbox } from "../ports/sandbox.ts"
import type { SimulationTask } from "../ports/simulation-queue.ts"
import type { Clock } from "../ports.ts"
import type { Rule, RuleDecision } from "../rule.ts"
import type {
  DecidedRule,
  JudgedSubject,
  RecordedTask,
  SimulationSubject,
  StoredTask,
} from "../simulation-result.ts"
import type { Operator } from "../stream/types.ts"
import { askTwin } from "./ask-twin.ts"
import { checkTrial } from "./cross-checks.ts"
import { strongestHit } from "./score-exploit.ts"

/** A proven exploit, and how to ask whether a relative of it works as well. */
export interface RuleOrder {
  readonly subject: SimulationSubject
  readonly result: JudgedSubject["result"]
  readonly task: SimulationTask
  /** False where a client says so and no twin of this Sentinel does. */
  readonly isProven: boolean
  /** Runs the text in the template of the proof; true where it has the proof's effect. */
  readonly works: (text: string) => Promise<boolean>
  readonly signal: AbortSignal
}

export interface GenerateRulesParts {
  readonly sandbox: Pick<Sandbox, "run">
  readonly clock: Pick<Clock, "nowMs">
  readonly concurrency: number
  /** @throws RuleRefusedError where no safe rule covers the exploit; UnavailableError */
  readonly make: (order: RuleOrder) => Promise<Rule>
  readonly decide: (rule: Rule, order: RuleOrder) => Promise<RuleDecision>
  /** Told of an exploit that no rule was made for, with the code why. */
  readonly onRefused: (subject: SimulationSubject, code: string) => void
}

/**
 * Makes a rule from each proven exploit, proves it against relatives of the exploit and benign
 * traffic, and has it decided about. The decision is durable when the task goes on.
 *
 * An exploit without a rule is no failure of its simulation: it goes on, and is told of. One whose
 * task comes again, after a crash, gets its rule then; a rule that is decided about stays decided.
 */
export function generateRules(parts: GenerateRulesParts): Operator<StoredTask, RecordedTask> {
  return {
    name: "generate_rule",
    concurrency: parts.concurrency,
    async process(task, { signal }) {
      const rules: DecidedRule[] = []
      for (const one of task.judged) {
        const { task: of, deadlineMs } = task
        const decided = await ruleFor(one, { ...parts, task: of, deadlineMs, signal })
        if (decided !== undefined) rules.push(decided)
      }
      return { task: task.task, completed: task.completed, rules }
    },
  }
}

interface Generating extends GenerateRulesParts {
  readonly task: SimulationTask
  readonly deadlineMs: number
  readonly signal: AbortSignal
}

async function ruleFor(
  { subject, result }: JudgedSubject,
  parts: Generating,
): Promise<DecidedRule | undefined> {
  const { proof, verdict } = result
  if (verdict !== "exploit_possible" || proof === undefined) return undefined
  if (parts.clock.nowMs() >= parts.deadlineMs) {
    parts.onRefused(subject, "DEADLINE")
    return undefined
  }
  const works = worksAs(proof, subject, parts)
  const order = { subject, result, task: parts.task, isProven: true, works, signal: parts.signal }
  try {
    const rule = await parts.make(order)
    return { rule, ...(await parts.decide(rule, order)) }
  } catch (error) {
    if (parts.signal.aborted || !(error instanceof SentinelError)) throw error
    parts.onRefused(subject, error.code)
    return undefined
  }
}

type Proof = NonNullable<JudgedSubject["result"]["proof"]>

/** Behind the name of a template whose program decodes once more; only what is encoded is tried there. */
const DECODING = /\/url-decoded$/

/** Asks a twin whether a text has the proven effect, in the template of the proof. */
export function worksAs(
  proof: Pick<Proof, "template" | "effect">,
  { class: simulated, location }: Pick<SimulationSubject, "class" | "location">,
  { sandbox, signal }: Pick<Generating, "sandbox" | "signal">,
): RuleOrder["works"] {
  const templates = [...new Set([proof.template, proof.template.replace(DECODING, "")])]
  return async (payload) => {
    const question = { class: simulated, location, payload, templates }
    const checked = checkTrial(await askTwin(sandbox, question, signal))
    return "answer" in checked && strongestHit(checked.answer)?.kind === proof.effect
  }
}
