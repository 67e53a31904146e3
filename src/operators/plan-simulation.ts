import { MalformedError, SentinelError } from "../errors.ts"
import { FieldReader } from "../evidence/field-reader.ts"
import type { SimulationTask } from "../ports/simulation-queue.ts"
import type { SimulationStore } from "../ports/simulation-store.ts"
import type { Clock } from "../ports.ts"
import type {
  CompletedJob,
  KnownSimulation,
  PlannedSimulation,
  SimulationJob,
  SimulationSubject,
} from "../simulation-result.ts"
import type { Operator, SourceRecord } from "../stream/types.ts"
import { SIMULATED_CLASSES } from "../twin-protocol.ts"
import { payloadDocument } from "./simulation-document.ts"

export interface PlanParts {
  readonly store: Pick<SimulationStore, "byId" | "put">
  readonly clock: Pick<Clock, "nowMs">
  /** What one task may take; payloads that are not begun by then stay inconclusive. */
  readonly taskTimeoutMs: number
}

const SUBJECTS_MAX = 10

/**
 * Turns a task of the queue into its distinct payloads and says that they are running.
 *
 * In: a task as JSON. Out: at most 10 subjects; what has a result already is known and not run again,
 * so that a task that comes twice is simulated once.
 * @throws MalformedError for what no Sentinel can have queued; UnavailableError
 */
export function planSimulation(parts: PlanParts): Operator<SourceRecord, PlannedSimulation> {
  const { store, clock, taskTimeoutMs } = parts
  return {
    name: "plan_simulation",
    concurrency: 16,
    async process({ value }) {
      const task = decodeTask(value)
      const startedMs = clock.nowMs()
      const all = distinctSubjects(task)
      const known = all.flatMap((subject) => knownSimulation(subject, store))
      const isKnown = new Set(known.map(({ subject }) => subject.simulationId))
      const subjects = all.filter(({ simulationId }) => !isKnown.has(simulationId))
      await store.put(subjects.map((subject) => runningJob(subject, startedMs)))
      return { task, subjects, known, startedMs, deadlineMs: startedMs + taskTimeoutMs }
    },
  }
}

/** The simulations of a task, as running; none where it cannot be read. */
export function runningJobs(value: Uint8Array, startedMs: number): readonly SimulationJob[] {
  try {
    return distinctSubjects(decodeTask(value)).map((subject) => runningJob(subject, startedMs))
  } catch (error) {
    if (error instanceof SentinelError) return []
    throw error
  }
}

/** A task says who it is; its suspects are read one by one, for a topic may be anybody's. */
function decodeTask(value: Uint8Array): SimulationTask {
  const task = parse(value)
  const read = new FieldReader(task, "")
  read.id("eventId")
  read.id("sessionId")
  return task as SimulationTask
}

function parse(value: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(value))
  } catch {
    throw new MalformedError("task", "JSON")
  }
}

function distinctSubjects(task: SimulationTask): readonly SimulationSubject[] {
  const suspects: readonly unknown[] = Array.isArray(task.suspects) ? task.suspects : []
  const subjects = suspects
    .slice(0, SUBJECTS_MAX)
    .map((suspect, index) => subjectOf(task, new FieldReader(suspect, `suspects.${index}`)))
  return [...new Map(subjects.map((subject) => [subject.simulationId, subject])).values()]
}

function subjectOf(task: SimulationTask, suspect: FieldReader): SimulationSubject {
  const { eventId, sessionId } = task
  const name = suspect.requiredText("class")
  const simulated = SIMULATED_CLASSES.find((known) => known === name)
  if (simulated === undefined) throw new MalformedError(suspect.path("class"), "a simulated class")
  const value = suspect.requiredText("value")
  const kind = suspect.text("kind") ?? "param"
  const isAsked = task.verdict === undefined
  return {
    // a task that a person asked for is its only payload
    simulationId: isAsked ? eventId : simulationId([eventId, simulated, kind, value]),
    eventId: isAsked ? undefined : eventId,
    sessionId,
    payloadId: suspect.text("payload_id") ?? "",
    class: simulated,
    value,
    location: suspect.text("location") ?? "",
    confidence: suspect.number("confidence"),
    truncated: suspect.has("truncated"),
  }
}

/** The same for the same payload of the same evidence, in whatever place of that kind it stood. */
function simulationId(parts: readonly string[]): string {
  const digest = new Bun.CryptoHasher("sha256").update(JSON.stringify(parts)).digest("hex")
  return `sim-${digest.slice(0, 32)}`
}

function knownSimulation(
  subject: SimulationSubject,
  store: PlanParts["store"],
): readonly KnownSimulation[] {
  const job = store.byId(subject.simulationId)
  return job?.status === "completed" ? [{ subject, job: job as CompletedJob }] : []
}

function runningJob(subject: SimulationSubject, startedMs: number): SimulationJob {
  const startedAt = new Date(startedMs).toISOString()
  return {
    simulation_id: subject.simulationId,
    ...(subject.eventId !== undefined && { event_id: subject.eventId }),
    session_id: subject.sessionId,
    status: "running",
    payload: payloadDocument(subject),
    queued_at: startedAt,
    started_at: startedAt,
  }
}
