import { version } from "../../package.json"
import { type Api, createProbeApi } from "../api/app.ts"
import { systemClock } from "../clock.ts"
import type { Config } from "../config.ts"
import type { Logger } from "../log.ts"
import { ownDataDirectory } from "../store/data-directory.ts"
import { openDeadLetterStore } from "../store/dead-letter-store.ts"
import { createTelemetry } from "../telemetry.ts"
import { auditOnDemand } from "./audit-log.ts"
import { openDeadLetterAccess } from "./dead-letters.ts"
import { announceDecisions } from "./models/model-announcements.ts"
import { offlineModels } from "./models/offline-models.ts"
import { offlineRules } from "./rules/offline-rules.ts"

/** The operating endpoints without a server: for a data directory that nobody runs. */
export interface OfflineOperations extends Pick<Api, "handle"> {
  close(): Promise<void>
}

/** @throws DataDirectoryInUseError while a process without a port owns the directory */
export async function openOfflineOperations(
  config: Config,
  log: Logger,
): Promise<OfflineOperations> {
  await using opening = new AsyncDisposableStack()
  const data = ownDataDirectory(config.dataDir)
  opening.defer(() => data.release())
  const telemetry = createTelemetry({ version })
  opening.defer(() => telemetry.close())
  const store = openDeadLetterStore(data.paths.store, { retentionDays: config.retention.days })
  opening.defer(() => store.close())
  const deadLetters = openDeadLetterAccess({ config, paths: data.paths, store }, opening)
  const audit = auditOnDemand({ paths: data.paths, log }, opening)
  const rules = offlineRules({ config, log, paths: data.paths, audit }, opening)
  const onDecided = announceDecisions({ audit, log, telemetry })
  const models = offlineModels({ config, log, onDecided })
  const api = createProbeApi({
    // only this process can call it: it has no port
    ...{ host: "127.0.0.1", apiToken: undefined },
    ...{ telemetry, version, clock: systemClock, log },
    ready: () => ({ ready: false, reasons: ["not running"] }),
    operating: { deadLetters, models, rules, topology: undefined },
  })
  const opened = opening.move()
  return { handle: (request) => api.handle(request), close: () => opened.disposeAsync() }
}
