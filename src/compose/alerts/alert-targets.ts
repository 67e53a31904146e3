import type { AlertStore, AlertTarget } from "../../alert.ts"
import { systemClock } from "../../clock.ts"
import type { Config } from "../../config.ts"
import { kafkaAlerts } from "../../connectors/kafka-alerts.ts"
import { kafkaClient } from "../../connectors/kafka-client.ts"
import type { Logger } from "../../log.ts"
import { webhook } from "../../services/webhook.ts"
import type { Telemetry } from "../../telemetry.ts"
import { AlertDeliveries, type DeliveryOutcome } from "./alert-delivery.ts"

/** Whom the configuration names; nothing is connected before the first alert. */
export function alertTargets({ alerts, kafka }: Pick<Config, "alerts" | "kafka">): AlertTarget[] {
  const targets: AlertTarget[] = []
  if (alerts.webhook !== undefined) targets.push(webhook({ ...alerts.webhook, clock: systemClock }))
  if (kafka !== undefined) {
    targets.push(kafkaAlerts(kafkaClient({ brokers: kafka.brokers, clientId: "sentinel-alerts" })))
  }
  return targets
}

export function startDelivery(
  target: AlertTarget,
  {
    store,
    telemetry,
    log,
  }: {
    readonly store: AlertStore
    readonly telemetry: Pick<Telemetry, "alertTried">
    readonly log: Logger
  },
): AlertDeliveries {
  const { name } = target
  let isFailing = false
  const onTried = (outcome: DeliveryOutcome, code: string) => {
    telemetry.alertTried(name, outcome)
    if (outcome === "delivered") {
      if (isFailing) log.info("alerts are delivered again", { target: name })
      isFailing = false
      return
    }
    // an outage is one line, and one more for each alert that is given up
    if (outcome === "retry" && isFailing) return
    isFailing = true
    log.warn("an alert was not delivered", { target: name, outcome, code })
  }
  return new AlertDeliveries({ store, target, clock: systemClock, random: Math.random, onTried })
}
