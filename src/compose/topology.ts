import type { Config } from "../config.ts"
import { UnavailableError } from "../errors.ts"
import type { Logger } from "../log.ts"
import type { JudgingThreads } from "../operators/judge-evidence.ts"
import { dataDirectoryPaths } from "../store/data-directory.ts"
import type { Topology } from "../stream/topology.ts"
import { describedAlerts } from "./alerts/open-alerts.ts"
import { EngineMeter } from "./engine-meter.ts"
import { observeNothing } from "./engine-observer.ts"
import { openModels } from "./models.ts"
import { createRunner } from "./runner.ts"
import { describedSimulationQueues } from "./simulation/simulation-queues.ts"
import { describedSimulation } from "./simulation/simulation-service.ts"

/**
 * The flow as `config` would run it, drawn from the flow itself; nothing is connected or written.
 * @throws ModelRefusedError
 */
export async function describeTopology(config: Config, log: Logger): Promise<Topology> {
  const neverRuns = () => Promise.reject(new UnavailableError("the store"))
  const simulations = describedSimulationQueues(config)
  const alerts = describedAlerts(config)
  const runner = createRunner({
    config,
    log,
    alerts: alerts?.verdicts,
    simulation: describedSimulation({ config, log, simulations, alerts }),
    models: await openModels(config, { log }),
    paths: dataDirectoryPaths(config.dataDir),
    verdicts: { record: neverRuns },
    deadLetters: { name: "dead_letter_store", guarantee: "idempotent", write: neverRuns },
    observer: observeNothing,
    threads: describedThreads(config),
    simulations,
    meter: new EngineMeter(),
    onRecorded: () => undefined,
    onRejected: () => undefined,
  })
  return runner.topology
}

/** None of them is started. */
function describedThreads({ analysisThreads: count }: Config): JudgingThreads | undefined {
  const judge = () => Promise.reject(new UnavailableError("a worker thread"))
  const start = () => Promise.resolve(false)
  return count === 0 ? undefined : { count, isReady: () => false, start, judge }
}
