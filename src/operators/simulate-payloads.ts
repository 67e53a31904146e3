import type { Sandbox } from "../ports/sandbox.ts"
import type { Clock } from "../ports.ts"
import type {
  PlannedSimulation,
  SimulatedSubject,
  SimulatedTask,
  SimulationSubject,
} from "../simulation-result.ts"
import type { Operator } from "../stream/types.ts"
import { askTwin } from "./ask-twin.ts"
import { checkTrial } from "./cross-checks.ts"
import { strongestHit } from "./score-exploit.ts"

export interface SimulateParts {
  readonly sandbox: Pick<Sandbox, "run" | "describe">
  readonly clock: Pick<Clock, "nowMs">
  /** Tasks at once: what the sandbox has room for. */
  readonly concurrency: number
}

/**
 * Runs every payload of a task in its class's twin, one after the other, and what had an effect once
 * more: a proof that does not repeat is none.
 *
 * @throws SandboxUnavailableError, SandboxPanickedError: both retryable, and never a score
 */
export function simulatePayloads(parts: SimulateParts): Operator<PlannedSimulation, SimulatedTask> {
  return {
    name: "simulate_payloads",
    concurrency: parts.concurrency,
    async process(planned, { signal }) {
      const simulated: SimulatedSubject[] = []
      for (const subject of planned.subjects) {
        const isLate = parts.clock.nowMs() >= planned.deadlineMs
        simulated.push(await simulate(subject, { ...parts, isLate, signal }))
      }
      return { ...planned, simulated }
    },
  }
}

interface Trying extends Pick<SimulateParts, "sandbox"> {
  readonly isLate: boolean
  readonly signal: AbortSignal
}

async function simulate(
  subject: SimulationSubject,
  { sandbox, isLate, signal }: Trying,
): Promise<SimulatedSubject> {
  if (subject.truncated) return { subject, notRun: "too_large", sandbox: sandbox.describe() }
  if (isLate) return { subject, notRun: "deadline", sandbox: sandbox.describe() }
  const question = { class: subject.class, location: subject.location, payload: subject.value }
  const trial = await askTwin(sandbox, question, signal)
  const checked = checkTrial(trial)
  const hit = "answer" in checked ? strongestHit(checked.answer) : undefined
  if (hit === undefined) return { subject, trial }
  const again = { ...question, templates: [hit.template] }
  return { subject, trial, repetition: await askTwin(sandbox, again, signal) }
}
