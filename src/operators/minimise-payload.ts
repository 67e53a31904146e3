import { SentinelError } from "../errors.ts"
import type { Sandbox } from "../ports/sandbox.ts"
import type { Clock } from "../ports.ts"
import type {
  JudgedSubject,
  JudgedTask,
  SimulationResult,
  SimulationSubject,
} from "../simulation-result.ts"
import type { Operator } from "../stream/types.ts"
import { askTwin } from "./ask-twin.ts"
import { checkTrial } from "./cross-checks.ts"
import { deltaDebug } from "./delta-debugging.ts"
import { reproductionSteps } from "./reproduction.ts"
import { proofOf, strongestHit } from "./score-exploit.ts"

export interface MinimiseParts {
  readonly sandbox: Pick<Sandbox, "run">
  readonly clock: Pick<Clock, "nowMs">
  readonly concurrency: number
  /** Told of each result as soon as it is known; the task is stored once it has all of them. */
  readonly onJudged?: ((judged: JudgedSubject) => void) | undefined
}

/** Runs and time that a shorter payload is worth. */
const TRIALS_MAX = 80
const SHORTENING_MS = 10_000
/** What is cut at once: a word, a run of blanks, or one character. */
const UNIT = /[A-Za-z0-9_]+|\s+|[\s\S]/gu
const UNITS_MAX = 4_096

/**
 * Finds for each proof a shorter payload that still has its effect in its template: the minimised
 * payload, with which the proof is then shown. At most 80 runs and 10 s for each payload, none after
 * the task's deadline; a sandbox that fails meanwhile costs only the shortening.
 */
export function minimisePayloads(parts: MinimiseParts): Operator<JudgedTask, JudgedTask> {
  return {
    name: "minimise_payload",
    concurrency: parts.concurrency,
    async process(task, { signal }) {
      const judged: JudgedSubject[] = []
      for (const one of task.judged) {
        const untilMs = Math.min(task.deadlineMs, parts.clock.nowMs() + SHORTENING_MS)
        const shortened = { ...one, result: await minimise(one, { ...parts, untilMs, signal }) }
        parts.onJudged?.(shortened)
        judged.push(shortened)
      }
      return { ...task, judged }
    },
  }
}

interface Minimising extends MinimiseParts {
  readonly untilMs: number
  readonly signal: AbortSignal
}

type Proof = NonNullable<SimulationResult["proof"]>

async function minimise(
  { subject, result }: JudgedSubject,
  parts: Minimising,
): Promise<SimulationResult> {
  const { proof } = result
  if (proof === undefined) return result
  let shortest = { payload: subject.value, proof }
  let spentMs = 0
  let isOver = false
  const keeps = async (units: readonly string[]): Promise<boolean> => {
    if (isOver || parts.clock.nowMs() >= parts.untilMs) return false
    const payload = units.join("")
    const again = await proveAgain({ ...subject, value: payload }, proof, parts)
    isOver = again === undefined
    spentMs += again?.wallMs ?? 0
    if (again?.proof === undefined) return false
    shortest = { payload, proof: again.proof }
    return true
  }
  const units = subject.value.match(UNIT) ?? []
  if (units.length <= UNITS_MAX) await deltaDebug(units, keeps, TRIALS_MAX)
  return {
    ...result,
    proof: shortest.proof,
    minimised_payload: shortest.payload,
    reproduction_steps: reproductionSteps(subject, shortest.payload, shortest.proof),
    execution_time_ms: result.execution_time_ms + spentMs,
  }
}

/** One more run in the template of the proof; undefined where the sandbox has none to give. */
async function proveAgain(
  { class: simulated, location, value }: SimulationSubject,
  proof: Proof,
  { sandbox, signal }: Minimising,
): Promise<{ readonly proof: Proof | undefined; readonly wallMs: number } | undefined> {
  const question = { class: simulated, location, payload: value, templates: [proof.template] }
  try {
    const trial = await askTwin(sandbox, question, signal)
    const checked = checkTrial(trial)
    const hit = "answer" in checked ? strongestHit(checked.answer) : undefined
    const isSame = hit?.kind === proof.effect
    return { proof: isSame ? proofOf(hit) : undefined, wallMs: trial.run.outside.wallMs }
  } catch (error) {
    if (signal.aborted || !(error instanceof SentinelError)) throw error
    return undefined
  }
}
