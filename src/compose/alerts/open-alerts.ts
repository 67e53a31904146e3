import type { Alert, AlertOccurrence, AlertStore, AlertTarget } from "../../alert.ts"
import { DEFAULT_ATTACKERS_MAX, DEFAULT_LIFE_MS } from "../../alerts/group-occurrences.ts"
import { taskOccurrences, verdictOccurrence } from "../../alerts/occurrences.ts"
import { systemClock } from "../../clock.ts"
import type { Config } from "../../config.ts"
import { kafkaAlerts } from "../../connectors/kafka-alerts.ts"
import { kafkaClient } from "../../connectors/kafka-client.ts"
import { publicError } from "../../errors.ts"
import type { ExplainedVerdict } from "../../events.ts"
import type { Logger } from "../../log.ts"
import type { Clock } from "../../ports.ts"
import { webhook } from "../../services/webhook.ts"
import type { RecordedTask } from "../../simulation-result.ts"
import { openAlertStore } from "../../store/alert-store.ts"
import type { DataDirectoryPaths } from "../../store/data-directory.ts"
import type { Sink } from "../../stream/types.ts"
import type { Telemetry } from "../../telemetry.ts"
import { AlertDeliveries, type DeliveryOutcome } from "./alert-delivery.ts"
import { AlertGroups } from "./alert-groups.ts"

export interface OpenAlertsParts {
  readonly config: Pick<Config, "alerts" | "kafka">
  readonly log: Logger
  readonly paths: Pick<DataDirectoryPaths, "store">
  readonly telemetry: Pick<Telemetry, "alertRaised" | "alertTried" | "alertLost" | "watchAlerts">
}

/** What the flows end in, so that they are told of. */
export interface AlertSinks {
  readonly verdicts: Sink<ExplainedVerdict>
  readonly simulations: Sink<RecordedTask>
}

const TICK_MS = 1_000

/** Groups and delivers alerts from here on; undefined where nobody is to be told. */
export function openAlerts(
  parts: OpenAlertsParts,
  stack: AsyncDisposableStack,
): AlertSinks | undefined {
  const { config, log, paths, telemetry } = parts
  const targets = alertTargets(config, systemClock)
  if (targets.length === 0) return undefined
  const store = openAlertStore(paths.store, { targets: targets.map(({ name }) => name) })
  stack.defer(() => store.close())
  const deliveries = targets.map((target) => startDelivery(target, store, parts))
  stack.defer(async () => {
    await Promise.all(deliveries.map((delivery) => delivery.stop()))
  })
  const onRaised = (alerts: readonly Alert[]) => {
    for (const alert of alerts) tell(alert, parts)
    for (const delivery of deliveries) delivery.wake()
  }
  const { updateMs, quietMs, threshold } = config.alerts
  const limits = { lifeMs: DEFAULT_LIFE_MS, attackersMax: DEFAULT_ATTACKERS_MAX }
  const groups = new AlertGroups({
    ...{ store, clock: systemClock, onRaised },
    limits: { updateMs, quietMs, ...limits },
  })
  stack.defer(keepTicking(groups, log))
  telemetry.watchAlerts(() => gaugesOf({ store, groups, targets }))
  return alertSinks(threshold, (occurrence) => raise(occurrence, groups, parts))
}

/** The same for a flow that is only drawn: nothing is opened. */
export function describedAlerts(config: Pick<Config, "alerts" | "kafka">): AlertSinks | undefined {
  const isTold = config.alerts.webhook !== undefined || config.kafka !== undefined
  return isTold ? alertSinks(config.alerts.threshold, () => Promise.resolve()) : undefined
}

export function alertTargets(
  { alerts, kafka }: Pick<Config, "alerts" | "kafka">,
  clock: Pick<Clock, "nowMs">,
): readonly AlertTarget[] {
  const targets: AlertTarget[] = []
  if (alerts.webhook !== undefined) targets.push(webhook({ ...alerts.webhook, clock }))
  if (kafka !== undefined) {
    targets.push(kafkaAlerts(kafkaClient({ brokers: kafka.brokers, clientId: "sentinel-alerts" })))
  }
  return targets
}

/** @param raise never rejects: an alert that cannot be kept must not hold back a verdict */
export function alertSinks(
  threshold: number,
  raise: (occurrence: AlertOccurrence) => Promise<void>,
): AlertSinks {
  return {
    verdicts: {
      name: "alert_verdict",
      guarantee: "idempotent",
      // LMDB makes one commit of all that wait
      concurrency: 256,
      async write({ verdict }) {
        const occurrence = verdictOccurrence(verdict, threshold)
        if (occurrence !== undefined) await raise(occurrence)
      },
    },
    simulations: {
      name: "alert_simulation",
      guarantee: "idempotent",
      concurrency: 16,
      async write(task) {
        await Promise.all(taskOccurrences(task, threshold).map(raise))
      },
    },
  }
}

async function raise(
  occurrence: AlertOccurrence,
  groups: AlertGroups,
  { telemetry, log }: OpenAlertsParts,
): Promise<void> {
  try {
    await groups.raise(occurrence)
  } catch (error) {
    telemetry.alertLost()
    log.error("an alert could not be kept", publicError(error))
  }
}

/** @returns what ends it, once the round that goes on is written */
function keepTicking(groups: Pick<AlertGroups, "tick">, log: Logger): () => Promise<void> {
  let ticking: Promise<void> | undefined
  const tick = async () => {
    await groups.tick().catch((error) => log.warn("alerts wait for the store", publicError(error)))
    ticking = undefined
  }
  const timer = setInterval(() => {
    ticking ??= tick()
  }, TICK_MS)
  timer.unref()
  return async () => {
    clearInterval(timer)
    await ticking
  }
}

function startDelivery(
  target: AlertTarget,
  store: AlertStore,
  { telemetry, log }: OpenAlertsParts,
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

function tell({ status, text, alert_id }: Alert, { telemetry, log }: OpenAlertsParts): void {
  telemetry.alertRaised(status)
  log.info("alert", { status, alert_id, text })
}

function gaugesOf({
  store,
  groups,
  targets,
}: {
  readonly store: AlertStore
  readonly groups: AlertGroups
  readonly targets: readonly AlertTarget[]
}) {
  const nowMs = systemClock.nowMs()
  const outboxes = targets.map(({ name }) => {
    const oldestMs = store.next(name)?.queuedMs ?? nowMs
    const oldestSeconds = Math.max(0, nowMs - oldestMs) / 1_000
    return { target: name, waiting: store.waiting(name), oldestSeconds }
  })
  return { open: groups.open, dropped: store.dropped, outboxes }
}
