import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { runCommandLine } from "../../src/commands/program.ts"
import { startSentinel } from "../../src/compose/server.ts"
import { readConfig } from "../../src/config.ts"
import { createLogger } from "../../src/log.ts"
import { recordTerminal } from "../support/terminal.ts"

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "topology-"))
})

afterEach(() => rm(directory, { recursive: true }))

async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const terminal = recordTerminal({ SENTINEL_DATA_DIR: directory, ...env })
  const exitCode = await runCommandLine(["topology", ...args], terminal)
  return { exitCode, out: terminal.written(), err: terminal.noted() }
}

describe("topology", () => {
  test("topology draws the configured flow with its guarantees, without a server", async () => {
    const { out } = await run([])
    expect(out).toMatch(/^ {2}enqueue_simulation +sink +x256, idempotent/m)
    expect(out).toMatch(/^ {2}enqueue_simulation .*-> .*simulations$/m)
    expect(out).toMatch(/^ {2}simulations +source +-> plan_simulation$/m)
    const kafka = await run([], { KAFKA_BOOTSTRAP_SERVERS: "127.0.0.1:1" })
    const guarantee = "exactly-once from kafka, at-least-once from inbox"
    expect(kafka.out).toMatch(new RegExp(`^ {2}publish_verdict +sink +staged, ${guarantee}`, "m"))
    expect((await run(["--mermaid"])).out).toStartWith("flowchart LR\n")
    expect(await run(["--live"])).toMatchObject({ exitCode: 1, out: "" })
  })

  test("topology reports what a running server does, and --live prints once to a file", async () => {
    const own = { SENTINEL_DATA_DIR: directory, SENTINEL_PORT: "0", SENTINEL_SANDBOX: "none" }
    const env = { ...own, SENTINEL_API_TOKEN: "secret" }
    const log = createLogger({ write: () => undefined, nowMs: () => Date.now() })
    const running = await startSentinel(readConfig(env), "start", log)
    try {
      const { out, exitCode } = await run(["--live"], env)
      expect(exitCode).toBe(0)
      expect(out).toMatch(/^the last \d+ s: 0 in flight, nothing waits$/m)
      expect(out).toMatch(/^ {2}inbox\/0 +0 records +0\.0 s +0% +-$/m)
      const described = JSON.parse((await run(["--json"], env)).out)
      expect(
        described.nodes.find(({ id }: { id: string }) => id === "fetch_evidence"),
      ).toMatchObject({
        note: "x16, fails closed",
        activity: { records_per_second: 0, waiting: 0 },
      })
      expect(described.running.partitions).toMatchObject([
        { topic: "inbox", records: 0 },
        { topic: "simulations", records: 0 },
      ])
    } finally {
      await running.stop()
    }
  })

  test("topology of a server that runs no flow is the configured one", async () => {
    const env = { SENTINEL_DATA_DIR: directory, SENTINEL_PORT: "0" }
    const log = createLogger({ write: () => undefined, nowMs: () => Date.now() })
    const running = await startSentinel(readConfig(env), "serve", log)
    try {
      expect((await run([])).out).toStartWith("analysis\n")
      await expect(run(["--live"])).resolves.toMatchObject({ exitCode: 1 })
    } finally {
      await running.stop()
    }
  })
})
