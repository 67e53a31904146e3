import { version } from "../../package.json"
import { createInferenceApi } from "../api/app.ts"
import { listen } from "../api/listen.ts"
import { systemClock } from "../clock.ts"
import type { Config } from "../config.ts"
import type { Logger } from "../log.ts"
import { signatureOpinion } from "../ml/serving/signatures.ts"
import { dataDirectoryPaths } from "../store/data-directory.ts"
import { createTelemetry } from "../telemetry.ts"
import type { FromWorker, ToWorker } from "./cluster-messages.ts"
import { LOOK_EVERY_MS } from "./models/model-server.ts"
import { secondTierMeter } from "./models/second-tier.ts"
import { openWorkerModels } from "./models.ts"

/** The owner of the data directory, as a worker hears it and speaks to it. */
export interface OwnerChannel {
  send(message: FromWorker): void
  onMessage(listener: (message: ToWorker) => void): void
  /** Resolves when the owner is gone. */
  readonly closed: Promise<void>
}

/**
 * Serves the port beside other workers: judges payloads by itself, and passes everything else on to the
 * owner of the data directory. Runs until it is told to drain, or the owner is gone.
 *
 * @param port shared with the other workers; 0 = any free one
 * @throws SentinelError where it cannot start
 */
export async function runApiWorker(
  config: Config & { readonly port: number },
  log: Logger,
  owner: OwnerChannel,
): Promise<void> {
  const telemetry = createTelemetry({ version })
  const onLookup = (hit: boolean) => telemetry.cacheLookedUp("payload", hit)
  const models = await openWorkerModels(config, {
    ...{ log, onLookup },
    secondTier: secondTierMeter(telemetry),
  })
  telemetry.watchModels(() => models.gauges())
  const { host, apiToken, port, dataDir } = config
  let open = true
  const api = createInferenceApi(
    {
      ...{ host, apiToken, telemetry, version, log },
      ready: () => ({ ready: open, reasons: open ? [] : ["stopping"] }),
      clock: systemClock,
      operating: { deadLetters: undefined, topology: undefined },
      classifier: models.classifier,
      secondTier: models.secondTier,
      signatures: signatureOpinion,
    },
    dataDirectoryPaths(dataDir).socket,
  )
  const listening = listen(api, { host, port, apiToken, shared: true })
  const told = Promise.withResolvers<"drain" | "stop">()
  owner.onMessage((message) => {
    if (message.type === "drain" || message.type === "stop") told.resolve(message.type)
    else if (message.type === "plan") void models.applyTrafficPlan(message.plan)
    else void measure(message.request)
  })
  const measure = async (request: number) => {
    owner.send({ type: "metrics", request, metrics: await telemetry.snapshot() })
  }
  const reporting = setInterval(() => {
    owner.send({ type: "traffic", report: models.report() })
  }, LOOK_EVERY_MS)
  owner.send({ type: "listening", port: listening.port })
  const leave = await Promise.race([told.promise, owner.closed])
  open = false
  await (leave === "drain" ? listening.drain() : listening.stop())
  clearInterval(reporting)
  owner.send({ type: "leaving", metrics: await telemetry.snapshot() })
  telemetry.close()
}
