import { randomUUID } from "node:crypto"
import type { SandboxOperations, SimulationRequest, Simulations } from "../api/parts.ts"
import { systemClock } from "../clock.ts"
import type { Config } from "../config.ts"
import { SandboxPanickedError, SandboxUnavailableError, UnavailableError } from "../errors.ts"
import type { Logger } from "../log.ts"
import { payloadDocument } from "../operators/simulation-document.ts"
import type {
  AuditLog,
  Clock,
  Sandbox,
  SimulationQueue,
  SimulationStore,
  SimulationTask,
} from "../ports.ts"
import type { CompletedJob, SimulationJob } from "../simulation-result.ts"
import { type DataDirectoryPaths, dataDirectoryPaths } from "../store/data-directory.ts"
import { openSimulationStore } from "../store/simulation-store.ts"
import type { SandboxGauges, Telemetry } from "../telemetry.ts"
import { openSandboxAudit } from "./audit-log.ts"
import { EngineMeter } from "./engine-meter.ts"
import { observeNothing } from "./engine-observer.ts"
import { openSandbox } from "./sandbox.ts"
import { observeSimulation } from "./simulation-observer.ts"
import { createSimulationRunner, type SimulationRunner } from "./simulation-runner.ts"
import { OWN_QUEUE, type Simulations as SimulationQueues } from "./simulations.ts"

export interface SimulationServiceParts {
  readonly config: Config
  readonly log: Logger
  readonly paths: DataDirectoryPaths
  readonly telemetry: Telemetry
  readonly simulations: Pick<SimulationQueues, "queues">
}

/** Sandbox, audit log, results and the flow between them, running. */
export interface SimulationService {
  readonly runner: SimulationRunner
  readonly operating: { readonly sandbox: SandboxOperations; readonly simulations: Simulations }
}

/** Starts at once: the sandbox is prepared in the background, and until then all tasks wait. */
export async function openSimulationService(
  parts: SimulationServiceParts,
  stack: AsyncDisposableStack,
): Promise<SimulationService> {
  const { config, log, paths, telemetry } = parts
  const { days: retentionDays } = config.retention
  const store = openSimulationStore(paths.store, { retentionDays })
  stack.defer(() => store.close())
  const audit = await openSandboxAudit({ paths, log }, stack)
  const sandbox = openSandbox({ config: config.sandbox, stateDirectory: paths.sandbox, audit, log })
  stack.defer(() => sandbox.close())
  telemetry.watchSandbox(() => sandboxGauges(sandbox, audit))
  const meter = new EngineMeter()
  const runner = createSimulationRunner({
    ...{ config, log, paths, queues: parts.simulations.queues, store, sandbox, audit, meter },
    observer: observeSimulation(telemetry, meter, log),
    onCompleted: (job) => reportResult(job, { telemetry, log }),
  })
  await runner.start()
  stack.defer(() => runner.drain(config.drainTimeoutMs))
  const queue = parts.simulations.queues[OWN_QUEUE] as SimulationQueue
  const submit = submitter({ sandbox, store, queue, clock: systemClock, wake: runner.wake })
  return {
    runner,
    operating: {
      sandbox: sandboxOperations(sandbox, audit),
      simulations: {
        submit,
        byId: (simulationId) => store.byId(simulationId),
        query: (query) => store.query(query),
      },
    },
  }
}

/** The flow as it would run, for a drawing: nothing is opened, and it cannot be started. */
export function describedSimulation({
  config,
  log,
  simulations,
}: Pick<SimulationServiceParts, "config" | "log" | "simulations">): SimulationRunner {
  const never = () => Promise.reject(new UnavailableError("the simulation"))
  const none = { driver: "none", runtime: undefined, imageDigest: undefined } as const
  return createSimulationRunner({
    ...{ config, log, observer: observeNothing, meter: new EngineMeter() },
    paths: dataDirectoryPaths(config.dataDir),
    queues: simulations.queues,
    store: { put: never, byId: () => undefined },
    sandbox: {
      ...{ run: never, isPanicked: () => false },
      describe: () => ({ ...none, limits: {}, notes: [] }),
    },
    audit: { append: never },
    onCompleted: () => undefined,
  })
}

/** The sandbox with its log, as whoever operates it sees both. */
export function sandboxOperations(
  sandbox: Sandbox,
  audit: Pick<AuditLog, "tail" | "head">,
): SandboxOperations {
  return {
    describe: () => sandbox.describe(),
    pool: () => sandbox.pool(),
    isPanicked: () => sandbox.isPanicked(),
    panic: (reason) => sandbox.panic(reason),
    resume: () => sandbox.resume(),
    auditTail: (limit) => audit.tail(limit),
    auditHead: () => audit.head(),
  }
}

interface SubmitterParts {
  readonly sandbox: Pick<Sandbox, "describe" | "isPanicked">
  readonly store: Pick<SimulationStore, "put">
  readonly queue: Pick<SimulationQueue, "enqueue">
  readonly clock: Pick<Clock, "nowMs">
  readonly wake: () => void
}

const PRIORITY_OF_PEOPLE = 9

function submitter(parts: SubmitterParts): Simulations["submit"] {
  const { sandbox, store, queue, clock } = parts
  return async (request) => {
    if (sandbox.isPanicked()) throw new SandboxPanickedError()
    const { driver, notes } = sandbox.describe()
    if (driver === "none") throw new SandboxUnavailableError(notes.join("; ") || "there is none")
    const task = taskOfRequest(request, clock.nowMs())
    const job = queuedJob(request, task)
    await store.put([job])
    await queue.enqueue(task)
    parts.wake()
    return job
  }
}

/** The task of a payload that a person wants tried; its event id is that of the simulation. */
export function taskOfRequest(request: SimulationRequest, nowMs: number): SimulationTask {
  const { type, value, location, sessionId } = request
  const suspect = { payload_id: "", value, class: type, confidence: 1, location }
  return {
    eventId: `sim-${randomUUID().replaceAll("-", "")}`,
    ...{ sessionId, priority: PRIORITY_OF_PEOPLE, eventTimeMs: nowMs },
    suspects: [{ ...suspect, kind: "param" }],
  }
}

function queuedJob(
  { type, value, location }: SimulationRequest,
  { eventId, sessionId, eventTimeMs }: SimulationTask,
): SimulationJob {
  return {
    ...{ simulation_id: eventId, session_id: sessionId, status: "queued" },
    payload: payloadDocument({ class: type, value, location }),
    queued_at: new Date(eventTimeMs).toISOString(),
  }
}

function sandboxGauges(sandbox: Sandbox, audit: Pick<AuditLog, "head">): SandboxGauges {
  const { driver } = sandbox.describe()
  const isPanicked = sandbox.isPanicked()
  return { driver, isPanicked, pool: sandbox.pool(), auditHead: audit.head() }
}

/** Counts and logs a result; the log holds nothing of the payload. */
function reportResult(
  { simulation_id, session_id, result }: CompletedJob,
  { telemetry, log }: Pick<SimulationServiceParts, "telemetry" | "log">,
): void {
  const { verdict, attack_type, driver, reason, execution_time_ms, severity } = result
  const why = reason?.split(":", 1)[0]
  telemetry.simulated({
    ...{ verdict, class: attack_type, driver: driver.name, seconds: execution_time_ms / 1_000 },
    ...(why !== undefined && { reason: why }),
  })
  const write = verdict === "exploit_possible" ? log.warn : log.info
  const scored = { exploit_score: Number(result.exploit_score.toFixed(4)), severity }
  write("simulated", { simulation_id, session_id, class: attack_type, verdict, ...scored, reason })
}
