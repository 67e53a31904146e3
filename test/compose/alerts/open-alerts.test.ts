import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { alertTargets } from "../../../src/compose/alerts/alert-targets.ts"
import { describedAlerts, openAlerts } from "../../../src/compose/alerts/open-alerts.ts"
import { readConfig } from "../../../src/config.ts"
import { createLogger } from "../../../src/log.ts"
import { createTelemetry, type Telemetry } from "../../../src/telemetry.ts"
import { explainedVerdict } from "../../store/verdicts.ts"
import { operatorContext } from "../../support/operator-context.ts"
import { startReceiver } from "../../support/webhook-receiver.ts"

const secret = "a-secret-of-some-length"
const webhook = (url: string) => ({
  SENTINEL_ALERT_WEBHOOK_URL: url,
  SENTINEL_ALERT_WEBHOOK_SECRET: secret,
  SENTINEL_ALERT_THRESHOLD: "0.6",
})
const kafka = { KAFKA_BOOTSTRAP_SERVERS: "127.0.0.1:1" }

test.each([
  [{}, []],
  [webhook("https://alerts.example/hook"), ["webhook"]],
  [kafka, ["kafka"]],
  [{ ...webhook("https://alerts.example/hook"), ...kafka }, ["webhook", "kafka"]],
])("alertTargets and the drawn flow know whom the configuration names (%#)", (env, names) => {
  const config = readConfig(env)
  expect(alertTargets(config).map(({ name }) => name)).toEqual(names)
  expect(describedAlerts(config) !== undefined).toBe(names.length > 0)
})

describe("openAlerts", () => {
  let directory: string
  let telemetry: Telemetry
  const lines: string[] = []
  const log = createLogger({ write: (line) => lines.push(line), nowMs: () => 0 })
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "open-alerts-"))
    telemetry = createTelemetry()
    lines.length = 0
  })
  afterEach(() => {
    telemetry.close()
    rmSync(directory, { recursive: true })
  })

  test("openAlerts delivers, counts and logs an alert, and logs no secret", async () => {
    await using receiver = startReceiver()
    await using stack = new AsyncDisposableStack()
    const config = readConfig(webhook(`${receiver.url}/T0K3N`))
    const sinks = openAlerts({ config, log, paths: { store: directory }, telemetry }, stack)
    await sinks?.verdicts.write(explainedVerdict("event-1"), operatorContext())
    await receiver.until(1)
    expect(receiver.accepted[0]?.alert).toMatchObject({ status: "opened", verdicts: { tag: 1 } })
    const metrics = await telemetry.render()
    expect(metrics).toContain('cerberus_alerts_total{status="opened"} 1')
    expect(metrics).toContain("cerberus_alerts_open 1")
    expect(metrics).toMatch(/cerberus_alert_outbox_alerts\{target="webhook"\} [01]/)
    expect(lines).toHaveLength(1)
    expect(lines[0]).not.toMatch(new RegExp(`T0K3N|${secret}`))
  })

  test("openAlerts opens nothing where nobody is told", async () => {
    await using stack = new AsyncDisposableStack()
    const config = readConfig({})
    const parts = { config, log, paths: { store: directory }, telemetry }
    expect(openAlerts(parts, stack)).toBeUndefined()
  })

  test("openAlerts says once that a webhook is away, without its address", async () => {
    await using stack = new AsyncDisposableStack()
    const config = readConfig(webhook("http://127.0.0.1:1/T0K3N"))
    const sinks = openAlerts({ config, log, paths: { store: directory }, telemetry }, stack)
    await sinks?.verdicts.write(explainedVerdict("event-1"), operatorContext())
    while (lines.length < 2) await new Promise((resolve) => setImmediate(resolve))
    const said = lines.map((line) => JSON.parse(line))
    const away = { message: "an alert was not delivered", target: "webhook", code: "UNREACHABLE" }
    expect(said).toMatchObject([{ message: "alert" }, { ...away, outcome: "retry" }])
    expect(lines.join()).not.toContain("T0K3N")
  })
})
