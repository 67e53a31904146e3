import { version } from "../../package.json"
import { createApi, createProbeApi } from "../api/app.ts"
import { listen, urlOf } from "../api/listen.ts"
import type { ApiParts, ProbeParts, Readiness } from "../api/parts.ts"
import { systemClock } from "../clock.ts"
import type { Config } from "../config.ts"
import { submitToInbox } from "../connectors/inbox-submission.ts"
import { publicError } from "../errors.ts"
import type { Logger } from "../log.ts"
import { signatureOpinion } from "../ml/serving/signatures.ts"
import type { JudgingThreads } from "../operators/judge-evidence.ts"
import { type OwnedDataDirectory, ownDataDirectory } from "../store/data-directory.ts"
import { openDeadLetterStore } from "../store/dead-letter-store.ts"
import { openVerdictStore } from "../store/verdict-store.ts"
import type { SourceRecord } from "../stream/types.ts"
import { createTelemetry } from "../telemetry.ts"
import { openAlerts } from "./alerts/open-alerts.ts"
import { createAnalyzer } from "./analyzer.ts"
import { openSandboxAudit } from "./audit-log.ts"
import { openDeadLetterAccess } from "./dead-letters.ts"
import { observeEngine } from "./engine-observer.ts"
import { openFalsePositives } from "./false-positives.ts"
import { type JudgingThreadsParts, openJudgingThreads } from "./judging-threads.ts"
import { openModelEvents } from "./model-events.ts"
import { announceDecisions } from "./models/model-announcements.ts"
import { secondTierMeter } from "./models/second-tier.ts"
import { openServedModels, type ServedModels } from "./models.ts"
import { createRunner, type Runner } from "./runner.ts"
import { serveByCluster } from "./serve-cluster.ts"
import { openSimulationQueues } from "./simulation/simulation-queues.ts"
import { openSimulationService, type SimulationService } from "./simulation/simulation-service.ts"

/** start = flow and API; serve = the API alone; process = the flow with probes only. */
export type Mode = "start" | "serve" | "process"

export interface Running {
  /** Where the API, or the probes of `process`, answer; undefined without a port. */
  readonly url: string | undefined
  /** Resolves with the exit code once everything is closed. */
  readonly done: Promise<number>
  /** Drains within the configured time; `done` resolves after it. */
  stop(): Promise<void>
  /** Replaces the API workers one after the other without a gap; undefined where there are none. */
  readonly restartWorkers: (() => void) | undefined
}

/**
 * Takes the data directory, loads the models, starts the flow and opens the port.
 * @throws SentinelError where it cannot start; what was opened until then is closed again
 */
export async function startSentinel(config: Config, mode: Mode, log: Logger): Promise<Running> {
  await using opening = new AsyncDisposableStack()
  const data = ownDataDirectory(config.dataDir)
  opening.defer(() => data.release())
  const server = await openServer({ config, mode, log, data }, opening)
  const opened = opening.move()
  const done = Promise.withResolvers<number>()
  let stopping: Promise<void> | undefined
  const stop = (exitCode: number) => {
    stopping ??= opened.disposeAsync().then(
      () => done.resolve(exitCode),
      (error) => {
        log.error("stopping failed", publicError(error))
        done.resolve(1)
      },
    )
    return stopping
  }
  for (const runner of [server.runner, server.simulation?.runner]) {
    runner?.finished.catch((error) => {
      log.error("the flow cannot go on", publicError(error))
      void stop(1)
    })
  }
  log.info("sentinel is running", { mode, url: server.url, data_dir: config.dataDir })
  const { url, restartWorkers } = server
  return { url, restartWorkers, done: done.promise, stop: () => stop(0) }
}

interface Opening {
  readonly config: Config
  readonly mode: Mode
  readonly log: Logger
  readonly data: OwnedDataDirectory
}

interface Server extends Port {
  readonly runner: Runner | undefined
  readonly simulation: SimulationService | undefined
}

/** Opens from the inside out; the stack closes in the opposite order. */
async function openServer(opening: Opening, stack: AsyncDisposableStack): Promise<Server> {
  const { config, mode } = opening
  const core = await openCore(opening, stack)
  const { paths } = opening.data
  const simulation =
    mode === "serve"
      ? undefined
      : await openSimulationService({ ...opening, ...core, paths }, stack)
  const runner =
    mode === "serve"
      ? undefined
      : createRunner({
          ...{ ...opening, ...core, simulation: simulation?.runner },
          threads: startThreads({ ...opening, ...core }, stack),
          alerts: core.alerts?.verdicts,
        })
  if (runner !== undefined) {
    core.telemetry.watchEngine(() => runner.gauges())
    await runner.start()
    stack.defer(() => runner.drain(config.drainTimeoutMs))
  }
  const port = await openPort({ ...opening, core, runner, simulation }, stack)
  return { ...port, runner, simulation }
}

/** None where this thread does everything. */
function startThreads(
  { models, ...parts }: Omit<JudgingThreadsParts, "server"> & { models: ServedModels },
  stack: AsyncDisposableStack,
): JudgingThreads | undefined {
  if (parts.config.analysisThreads === 0) return undefined
  const threads = openJudgingThreads({ ...parts, server: models.server })
  stack.defer(() => threads.close())
  return threads
}

/** Models, stores and counters: what every mode has. */
async function openCore({ config, log, data }: Opening, stack: AsyncDisposableStack) {
  const telemetry = createTelemetry({ version })
  stack.defer(() => telemetry.close())
  const onLookup = (hit: boolean) => telemetry.cacheLookedUp("payload", hit)
  const audit = await openSandboxAudit({ paths: data.paths, log }, stack)
  const events = openModelEvents({ config, log, telemetry }, stack)
  const onDecided = announceDecisions({ audit, log, telemetry, events })
  const models = await openServedModels(config, {
    ...{ log, onLookup, onDecided },
    secondTier: secondTierMeter(telemetry),
  })
  telemetry.watchModels(() => models.server.gauges())
  stack.defer(() => models.server.secondTier.use(undefined))
  stack.defer(models.server.watch())
  const { days: retentionDays, bytesMax } = config.retention
  const verdicts = openVerdictStore(data.paths.store, { retentionDays, bytesMax })
  stack.defer(() => verdicts.close())
  const deadLetters = openDeadLetterStore(data.paths.store, { retentionDays })
  stack.defer(() => deadLetters.close())
  const { paths } = data
  const simulations = openSimulationQueues({ config, paths }, stack)
  const letters = openDeadLetterAccess({ config, paths, store: deadLetters }, stack)
  const falsePositives = openFalsePositives(paths, models.server, stack)
  const alerts = openAlerts({ config, log, paths, telemetry }, stack)
  const onDone = (record: SourceRecord) => {
    // a state that cannot be written now is a display that lags, no reason to fail the record
    deadLetters.markDone(record).catch((error) => {
      log.warn("a redriven dead letter could not be marked as resolved", publicError(error))
    })
  }
  const observed = observeEngine({ telemetry, models, log, onDone })
  return {
    telemetry,
    audit,
    models,
    falsePositives,
    verdicts,
    deadLetters,
    letters,
    simulations,
    alerts,
    paths,
    ...observed,
  }
}

interface Port {
  readonly url: string | undefined
  readonly restartWorkers: (() => void) | undefined
}

interface PortParts extends Opening {
  readonly core: Awaited<ReturnType<typeof openCore>>
  readonly runner: Runner | undefined
  readonly simulation: SimulationService | undefined
}

/** Opens what `mode` and the configuration ask for: a port of this process, of its workers, or none. */
async function openPort(parts: PortParts, stack: AsyncDisposableStack): Promise<Port> {
  const { config, mode, data, core, log } = parts
  const { host, apiToken, metricsPort } = config
  const port = mode === "process" ? metricsPort : config.port
  if (mode === "process" && port === 0) return { url: undefined, restartWorkers: undefined }
  let open = true
  const probes = probeParts(parts, () => open)
  if (mode !== "process" && config.apiWorkers > 1) {
    const api = apiParts(parts, probes)
    const { telemetry, models, paths } = core
    const serving = { config, log, paths, telemetry, models: models.server, api }
    const cluster = await serveByCluster(serving, stack)
    stack.defer(() => {
      open = false
    })
    data.announce({ host, port: cluster.port })
    const restartWorkers = () => void cluster.restart()
    return { url: urlOf(host, cluster.port), restartWorkers }
  }
  const api = mode === "process" ? createProbeApi(probes) : createApi(apiParts(parts, probes))
  const listening = listen(api, { host, port, apiToken })
  stack.defer(() => {
    open = false
    return listening.stop()
  })
  data.announce({ host, port: listening.port })
  return { url: listening.url, restartWorkers: undefined }
}

function probeParts(parts: PortParts, isOpen: () => boolean): ProbeParts {
  const { config, core, log, runner, simulation } = parts
  return {
    host: config.host,
    apiToken: config.apiToken,
    telemetry: core.telemetry,
    ready: () => readiness(isOpen(), runner),
    version,
    clock: systemClock,
    log,
    operating: {
      deadLetters: core.letters,
      models: core.models.server,
      falsePositives: core.falsePositives,
      topology: runner && (() => runner.describe()),
      ...simulation?.operating,
    },
  }
}

function readiness(open: boolean, runner: Runner | undefined): Readiness {
  const reasons = open ? [] : ["stopping"]
  for (const system of runner?.unreachable() ?? []) reasons.push(`${system} is not reachable`)
  return { ready: reasons.length === 0, reasons }
}

function apiParts({ config, core, data, runner }: PortParts, probes: ProbeParts): ApiParts {
  const { models, verdicts, counts } = core
  return {
    ...probes,
    analyzer: createAnalyzer(models, config),
    classifier: models.classifier,
    secondTier: models.server.secondTier,
    signatures: signatureOpinion,
    verdicts,
    get models() {
      return [models.classifier.info, models.anomaly.info]
    },
    submitEvidence:
      runner && ((bytes, enrichment) => submitToInbox(data.paths.inbox, bytes, enrichment)),
    stats: () => ({ ...counts, engine: runner?.numbers() ?? {} }),
  }
}
