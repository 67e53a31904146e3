import type { Logger } from "../../log.ts"
import type { EngineObserver } from "../../stream/types.ts"
import type { Telemetry } from "../../telemetry.ts"
import type { EngineMeter } from "../engine-meter.ts"
import { isPassing } from "./simulation-runner.ts"

/**
 * Every event of the simulation's engine on to the metrics. A task that goes back to its queue counts
 * as tried again and not as a dead letter: nothing of it is lost.
 */
export function observeSimulation(
  telemetry: Telemetry,
  meter: EngineMeter,
  log: Logger,
): EngineObserver {
  return {
    operatorDone(operator, outcome, seconds) {
      telemetry.operatorDone(operator, outcome, seconds)
      meter.count(operator, outcome, seconds)
    },
    retried: telemetry.retried,
    deadLettered({ code, operator, message: reason, attempts }) {
      if (isPassing(code)) {
        telemetry.retried("simulation", code)
        log.info("a task goes back to its queue", { code, operator, reason })
        return
      }
      telemetry.deadLettered({ code, operator })
      log.error("a simulation failed", { code, operator, reason, attempts })
    },
    recordDone: telemetry.recordDone,
    committed: () => undefined,
  }
}
