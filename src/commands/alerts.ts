import { testAlert } from "../alerts/alert-document.ts"
import { systemClock } from "../clock.ts"
import { alertTargets } from "../compose/alerts/alert-targets.ts"
import { readConfig } from "../config.ts"
import type { Terminal } from "./terminal.ts"

const TIMEOUT_MS = 20_000
const LATE = { outcome: "retry", code: "TIMEOUT" } as const

/**
 * Sends a test alert to everyone who is told, once, with or without a running server.
 * @returns 1 where nobody is told, or somebody did not take it
 */
export async function sendTestAlert(terminal: Terminal): Promise<number> {
  const targets = alertTargets(readConfig(terminal.env))
  if (targets.length === 0) {
    terminal.note("nobody is told: set SENTINEL_ALERT_WEBHOOK_URL, or KAFKA_BOOTSTRAP_SERVERS\n")
    return 1
  }
  const alert = testAlert(systemClock.nowMs())
  let isTaken = true
  for (const target of targets) {
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    const answer = await target.deliver(alert, signal).catch(() => LATE)
    await target.close()
    isTaken &&= answer.outcome === "delivered"
    const said = answer.outcome === "delivered" ? "took it" : `did not take it: ${answer.code}`
    await terminal.write(`${target.name} ${said}\n`)
  }
  return isTaken ? 0 : 1
}
