import { expect, test } from "bun:test"
import { runCommandLine } from "../../src/commands/program.ts"
import { recordTerminal } from "../support/terminal.ts"
import { startReceiver } from "../support/webhook-receiver.ts"

async function sendTo(url: string) {
  const terminal = recordTerminal({
    SENTINEL_ALERT_WEBHOOK_URL: url,
    SENTINEL_ALERT_WEBHOOK_SECRET: "a-secret-of-some-length",
  })
  const exitCode = await runCommandLine(["alerts", "test"], terminal)
  return { exitCode, out: terminal.written(), err: terminal.noted() }
}

test("alerts test sends an alert that says what it is, and tells what became of it", async () => {
  await using receiver = startReceiver()
  expect(await sendTo(receiver.url)).toMatchObject({ exitCode: 0, out: "webhook took it\n" })
  expect(receiver.accepted).toMatchObject([{ alert: { status: "test", sessions: { count: 0 } } }])
  receiver.answer = () => new Response(null, { status: 401 })
  const refused = { exitCode: 1, out: "webhook did not take it: HTTP_401\n" }
  expect(await sendTo(receiver.url)).toMatchObject(refused)
})

test("alerts test says what to set where nobody is told", async () => {
  const { exitCode, err } = await sendTo("")
  expect([exitCode, err]).toEqual([1, expect.stringContaining("SENTINEL_ALERT_WEBHOOK_URL")])
})
