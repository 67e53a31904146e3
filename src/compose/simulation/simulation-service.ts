import type { SandboxOperations, Simulations } from "../../api/parts.ts"
import type { RuleOperations } from "../../api/rule-operations.ts"
import { systemClock } from "../../clock.ts"
import type { Config } from "../../config.ts"
import { UnavailableError } from "../../errors.ts"
import type { Logger } from "../../log.ts"
import type { AuditLog, Sandbox } from "../../ports/sandbox.ts"
import type { VerdictStore } from "../../ports.ts"
import type { CompletedJob, JudgedSubject } from "../../simulation-result.ts"
import { type DataDirectoryPaths, dataDirectoryPaths } from "../../store/data-directory.ts"
import { openSimulationStore } from "../../store/simulation-store.ts"
import type { SandboxGauges, Telemetry } from "../../telemetry.ts"
import type { AlertSinks } from "../alerts/alert-sinks.ts"
import { EngineMeter } from "../engine-meter.ts"
import { observeNothing } from "../engine-observer.ts"
import { openRules } from "../rules/open-rules.ts"
import { openSandbox } from "../sandbox.ts"
import { observeSimulation } from "./simulation-observer.ts"
import type { SimulationQueues } from "./simulation-queues.ts"
import { submitSimulations } from "./simulation-requests.ts"
import { createSimulationRunner, type SimulationRunner } from "./simulation-runner.ts"

export interface SimulationServiceParts {
  readonly config: Config
  readonly log: Logger
  readonly paths: DataDirectoryPaths
  readonly telemetry: Telemetry
  readonly audit: AuditLog
  readonly simulations: Pick<SimulationQueues, "queues" | "own">
  readonly verdicts: Pick<VerdictStore, "query" | "byEvent">
  /** Undefined where nobody is told. */
  readonly alerts: AlertSinks | undefined
}

/** Sandbox, audit log, results and the flow between them, running. */
export interface SimulationService {
  readonly runner: SimulationRunner
  readonly operating: {
    readonly sandbox: SandboxOperations
    readonly simulations: Simulations
    readonly rules: RuleOperations
  }
}

/** Starts at once: the sandbox is prepared in the background, and until then all tasks wait. */
export async function openSimulationService(
  parts: SimulationServiceParts,
  stack: AsyncDisposableStack,
): Promise<SimulationService> {
  const { config, log, paths, telemetry, audit } = parts
  const { days: retentionDays } = config.retention
  const store = openSimulationStore(paths.store, { retentionDays })
  stack.defer(() => store.close())
  const sandbox = openSandbox({ config: config.sandbox, stateDirectory: paths.sandbox, audit, log })
  stack.defer(() => sandbox.close())
  telemetry.watchSandbox(() => sandboxGauges(sandbox, audit))
  const rules = openRules({ ...parts, sandbox, audit }, stack)
  const meter = new EngineMeter()
  const runner = createSimulationRunner({
    rules: rules.flow,
    alerts: parts.alerts?.simulations,
    ...{ config, log, paths, queues: parts.simulations.queues, store, sandbox, audit, meter },
    observer: observeSimulation(telemetry, meter, log),
    onJudged: (judged) => logResult(judged, log),
    onCompleted: (job) => countResult(job, telemetry),
  })
  await runner.start()
  stack.defer(() => runner.drain(config.drainTimeoutMs))
  const queue = parts.simulations.own
  const requests = { sandbox, store, queue, clock: systemClock, wake: runner.wake }
  return {
    runner,
    operating: {
      sandbox: sandboxOperations(sandbox, audit),
      rules: rules.operations,
      simulations: {
        submit: submitSimulations(requests),
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
  alerts,
}: Pick<SimulationServiceParts, "config" | "log" | "simulations" | "alerts">): SimulationRunner {
  const never = () => Promise.reject(new UnavailableError("the simulation"))
  const none = { driver: "none", runtime: undefined, imageDigest: undefined } as const
  return createSimulationRunner({
    ...{ config, log, observer: observeNothing, meter: new EngineMeter() },
    paths: dataDirectoryPaths(config.dataDir),
    queues: simulations.queues,
    alerts: alerts?.simulations,
    store: { put: never, byId: () => undefined },
    sandbox: {
      ...{ run: never, isPanicked: () => false },
      describe: () => ({ ...none, limits: {}, notes: [] }),
    },
    audit: { append: never },
    rules: { make: never, decide: never, onRefused: () => undefined },
    onCompleted: () => undefined,
  })
}

/** The sandbox with its log, as whoever operates it sees both. */
function sandboxOperations(
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

function sandboxGauges(sandbox: Sandbox, audit: Pick<AuditLog, "head">): SandboxGauges {
  const { driver } = sandbox.describe()
  const isPanicked = sandbox.isPanicked()
  return { driver, isPanicked, pool: sandbox.pool(), auditHead: audit.head() }
}

function countResult({ result }: CompletedJob, telemetry: Telemetry): void {
  const { verdict, attack_type, driver, reason, execution_time_ms } = result
  const why = reason?.split(":", 1)[0]
  telemetry.simulated({
    ...{ verdict, class: attack_type, driver: driver.name, seconds: execution_time_ms / 1_000 },
    ...(why !== undefined && { reason: why }),
  })
}

/** Nothing of the payload. */
function logResult({ subject, result }: JudgedSubject, log: Logger): void {
  const { simulation_id, verdict, attack_type, reason, severity } = result
  const write = verdict === "exploit_possible" ? log.warn : log.info
  const scored = { exploit_score: Number(result.exploit_score.toFixed(4)), severity }
  const session = { simulation_id, session_id: subject.sessionId, class: attack_type }
  write("simulated", { ...session, verdict, ...scored, reason })
}
