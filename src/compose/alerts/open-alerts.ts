import type { Alert, AlertStore, AlertTarget } from "../../alert.ts"
import { DEFAULT_ATTACKERS_MAX, DEFAULT_LIFE_MS } from "../../alerts/group-occurrences.ts"
import { systemClock } from "../../clock.ts"
import type { Config } from "../../config.ts"
import { publicError } from "../../errors.ts"
import type { Logger } from "../../log.ts"
import { openAlertStore } from "../../store/alert-store.ts"
import type { DataDirectoryPaths } from "../../store/data-directory.ts"
import type { Telemetry } from "../../telemetry.ts"
import { AlertGroups } from "./alert-groups.ts"
import { type AlertSinks, alertSinks } from "./alert-sinks.ts"
import { alertTargets, startDelivery } from "./alert-targets.ts"

export interface OpenAlertsParts {
  readonly config: Pick<Config, "alerts" | "kafka">
  readonly log: Logger
  readonly paths: Pick<DataDirectoryPaths, "store">
  readonly telemetry: Pick<Telemetry, "alertRaised" | "alertTried" | "alertLost" | "watchAlerts">
}

const TICK_MS = 1_000

/** Groups and delivers alerts from here on; undefined where nobody is to be told. */
export function openAlerts(
  parts: OpenAlertsParts,
  stack: AsyncDisposableStack,
): AlertSinks | undefined {
  const { config, log, paths, telemetry } = parts
  const targets = alertTargets(config)
  if (targets.length === 0) return undefined
  const store = openAlertStore(paths.store, { targets: targets.map(({ name }) => name) })
  stack.defer(() => store.close())
  const deliveries = targets.map((target) => startDelivery(target, { store, telemetry, log }))
  stack.defer(async () => {
    await Promise.all(deliveries.map((delivery) => delivery.stop()))
  })
  const onRaised = (alerts: readonly Alert[]) => {
    for (const alert of alerts) announce(alert, parts)
    for (const delivery of deliveries) delivery.wake()
  }
  const { updateMs, quietMs, threshold } = config.alerts
  const bounds = { lifeMs: DEFAULT_LIFE_MS, attackersMax: DEFAULT_ATTACKERS_MAX }
  const limits = { updateMs, quietMs, ...bounds }
  const groups = new AlertGroups({ store, clock: systemClock, limits, onRaised })
  stack.defer(keepTicking(groups, log))
  telemetry.watchAlerts(() => gaugesOf({ store, groups, targets }))
  const onLost = (error: unknown) => {
    telemetry.alertLost()
    log.error("an alert could not be kept", publicError(error))
  }
  return alertSinks({ threshold, onLost, raise: (occurrence) => groups.raise(occurrence) })
}

/** The same for a flow that is only drawn: nothing is opened. */
export function describedAlerts(config: Pick<Config, "alerts" | "kafka">): AlertSinks | undefined {
  const isTold = config.alerts.webhook !== undefined || config.kafka !== undefined
  if (!isTold) return undefined
  const { threshold } = config.alerts
  return alertSinks({ threshold, raise: () => Promise.resolve(), onLost: () => undefined })
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

function announce({ status, text, alert_id }: Alert, { telemetry, log }: OpenAlertsParts): void {
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
