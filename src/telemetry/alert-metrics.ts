import { ALERT_STATUSES, type Alert } from "../alert.ts"
import { counter, gauge, type Registry } from "./metrics.ts"

/** What is known of the alerts at the moment of a scrape. */
export interface AlertGauges {
  readonly open: number
  /** Given up since the start because too many waited. */
  readonly dropped: number
  readonly outboxes: readonly {
    readonly target: string
    readonly waiting: number
    readonly oldestSeconds: number
  }[]
}

export function createAlertMetrics(registry: Registry) {
  const raised = counter(registry, {
    name: "cerberus_alerts_total",
    help: "Alerts raised, by status.",
    labels: ["status"],
    known: ALERT_STATUSES.map((status) => ({ status })),
  })
  const tries = counter(registry, {
    name: "cerberus_alert_deliveries_total",
    help: "Tries to deliver an alert, by target and outcome (delivered, retry, refused, expired).",
    labels: ["target", "outcome"],
  })
  const lost = counter(registry, {
    name: "cerberus_alerts_lost_total",
    help: "Occurrences that could not be kept for an alert.",
  })
  return {
    alertRaised: (status: Alert["status"]): void => raised.inc({ status }),
    alertTried: (target: string, outcome: string): void => tries.inc({ target, outcome }),
    alertLost: (): void => lost.inc(),
    watchAlerts: exposeOutboxes(registry),
  }
}

function exposeOutboxes(registry: Registry): (reader: () => AlertGauges) => void {
  let read: (() => AlertGauges) | undefined
  const outboxes = () => read?.().outboxes ?? []
  gauge(registry, {
    name: "cerberus_alerts_open",
    help: "Attackers and campaigns with an open alert.",
    read: () => read?.().open ?? 0,
  })
  gauge(registry, {
    name: "cerberus_alerts_dropped",
    help: "Alerts given up since the start because too many waited.",
    read: () => read?.().dropped ?? 0,
  })
  gauge(registry, {
    name: "cerberus_alert_outbox_alerts",
    help: "Alerts that wait for their delivery, by target.",
    labels: ["target"],
    read: () => outboxes().map(({ target, waiting }) => [{ target }, waiting]),
  })
  gauge(registry, {
    name: "cerberus_alert_outbox_age_seconds",
    help: "How long the oldest of them has waited, by target.",
    labels: ["target"],
    read: () => outboxes().map(({ target, oldestSeconds }) => [{ target }, oldestSeconds]),
  })
  return (reader) => {
    read = reader
  }
}
