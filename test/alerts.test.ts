import { afterAll, expect, setDefaultTimeout, test } from "bun:test"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { until } from "./support/until.ts"
import { startReceiver } from "./support/webhook-receiver.ts"

/*
 * Goal: a scanner that comes 400 times is one alert, and none is lost, whatever happens meanwhile.
 * Method: 400 sessions go into the inbox of a real server whose webhook is down; it is killed with
 * SIGKILL half-way and started again; then the webhook comes back.
 */

const SESSIONS = 400
const ROOT = join(import.meta.dir, "..")
setDefaultTimeout(120_000)

const directory = mkdtempSync(join(tmpdir(), "alerts-end-to-end-"))
const inbox = join(directory, "inbox")
const servers: Bun.Subprocess[] = []
afterAll(async () => {
  for (const server of servers) server.kill("SIGKILL")
  await Promise.all(servers.map(({ exited }) => exited))
  rmSync(directory, { recursive: true, force: true })
})

function startServer(webhookUrl: string): Bun.Subprocess {
  const server = Bun.spawn([process.execPath, join(ROOT, "src/main.ts"), "process"], {
    env: {
      PATH: process.env.PATH ?? "",
      ...{ SENTINEL_DATA_DIR: directory, SENTINEL_METRICS_PORT: "0", SENTINEL_SANDBOX: "none" },
      SENTINEL_ALERT_WEBHOOK_URL: webhookUrl,
      SENTINEL_ALERT_WEBHOOK_SECRET: "a-secret-of-some-length",
      SENTINEL_ALERT_UPDATE_MINUTES: "0.02",
    },
    stdio: ["ignore", "ignore", "ignore"],
  })
  servers.push(server)
  return server
}

/** The shipped attack, by sqlmap; what its manifest covers stays the same. */
function dropSessions(): void {
  const document = JSON.parse(readFileSync(join(ROOT, "examples/attack-session.json"), "utf8"))
  mkdirSync(inbox, { recursive: true })
  for (let index = 0; index < SESSIONS; index += 1) {
    const text = JSON.stringify({ ...document, session_id: `scan-${index}` })
    void Bun.write(join(directory, `${index}.tmp`), text).then(() =>
      renameSync(join(directory, `${index}.tmp`), join(inbox, `${index}.json`)),
    )
  }
}

const done = () => {
  try {
    return readdirSync(join(directory, "done")).length
  } catch {
    return 0
  }
}

test("400 sessions of one scanner are one alert, through SIGKILL and a webhook that was down", async () => {
  const down = startReceiver()
  await down[Symbol.asyncDispose]()
  dropSessions()
  const first = startServer(down.url)
  await until(() => done() >= SESSIONS / 2)
  first.kill("SIGKILL")
  await first.exited
  expect(done()).toBeLessThan(SESSIONS)
  startServer(down.url)
  await until(() => done() === SESSIONS)
  await using receiver = startReceiver(Number(new URL(down.url).port))
  const last = () => receiver.accepted.at(-1)?.alert
  await until(() => last()?.sessions.count === SESSIONS)
  const alerts = new Map(receiver.accepted.map(({ alert }) => [alert.event_id, alert]))
  expect(new Set([...alerts.values()].map(({ alert_id }) => alert_id)).size).toBe(1)
  const statuses = [...alerts.values()].map(({ status }) => status)
  expect(statuses.filter((status) => status === "opened")).toHaveLength(1)
  expect(last()).toMatchObject({ status: "updated", verdicts: { simulate: SESSIONS } })
  expect(last()?.text).toBe(`sqlmap from an unknown address: ${SESSIONS} sessions`)
})
