import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { runCommandLine } from "../../src/commands/program.ts"
import { startSentinel } from "../../src/compose/server.ts"
import { readConfig } from "../../src/config.ts"
import { createLogger } from "../../src/log.ts"
import { ownDataDirectory } from "../../src/store/data-directory.ts"
import { recordTerminal } from "../support/terminal.ts"

/** Without containers: what the isolation suite shows of a panic with some is not shown again here. */

let directory: string
let environment: Readonly<Record<string, string>>

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "sandbox-control-"))
  const own = { SENTINEL_DATA_DIR: directory, SENTINEL_PORT: "0", SENTINEL_SANDBOX: "none" }
  environment = { ...own, SENTINEL_API_TOKEN: "secret" }
})

afterEach(() => rm(directory, { recursive: true }))

async function run(...args: readonly string[]) {
  const terminal = recordTerminal(environment)
  const exitCode = await runCommandLine(args, terminal)
  return { exitCode, out: terminal.written(), err: terminal.noted() }
}

async function withServer(mode: "start" | "serve", work: () => Promise<void>) {
  const log = createLogger({ write: () => undefined, nowMs: () => Date.now() })
  const running = await startSentinel(readConfig(environment), mode, log)
  try {
    await work()
  } finally {
    await running.stop()
  }
}

const audited = async () => {
  const text = await Bun.file(join(directory, "audit/sandbox-audit.jsonl")).text()
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).event_type as string)
}

describe("sandbox panic, resume and status", () => {
  test("panic works without a server, outlives it, and is in the audit log", async () => {
    const { exitCode, out } = await run("sandbox", "panic", "--reason", "it looks odd")
    expect(exitCode).toBe(0)
    expect(out).toContain("the sandbox is empty")
    expect((await run("sandbox", "status")).out).toContain("shut down by a panic")
    await withServer("start", async () => {
      expect((await run("sandbox", "status")).out).toMatch(/^panic +ON/m)
      expect((await run("sandbox", "resume")).out).toBe("payloads are simulated again\n")
      expect((await run("sandbox", "status")).out).toMatch(/^panic +off/m)
    })
    expect(await audited()).toEqual(["panic", "resume"])
    expect((await run("audit", "verify")).exitCode).toBe(0)
  })

  test("panic goes over the server where one runs, and resume works after it is down", async () => {
    await withServer("start", async () => {
      const { out } = await run("sandbox", "panic", "--json")
      expect(JSON.parse(out)).toEqual({ isClean: true, destroyed: 0, left: [] })
      expect(JSON.parse((await run("sandbox", "status", "--json")).out).panicked).toBe(true)
    })
    expect((await run("sandbox", "status")).out).toContain("shut down by a panic")
    await run("sandbox", "resume")
    expect(await audited()).toEqual(["panic", "resume"])
    expect((await run("sandbox", "status")).out).toContain("no panic is on")
  })

  test("panic helps itself where the server has no sandbox, and says what it could not log", async () => {
    await withServer("serve", async () => {
      const { exitCode, out, err } = await run("sandbox", "panic")
      expect(exitCode).toBe(1)
      expect(err).toContain("doing it here")
      expect(out).toContain("the audit log has no entry of it")
    })
    const data = ownDataDirectory(directory)
    const { exitCode, out } = await run("sandbox", "panic")
    data.release()
    expect([exitCode, out.includes("the audit log has no entry of it")]).toEqual([1, true])
  })

  test("panic fails where the audit log is broken, and resume says so", async () => {
    for (const _ of [1, 2]) {
      await run("sandbox", "panic")
      await run("sandbox", "resume")
    }
    const path = join(directory, "audit/sandbox-audit.jsonl")
    const [first = "", , ...others] = (await Bun.file(path).text()).split("\n")
    await Bun.write(path, [first, ...others].join("\n"))
    await withServer("start", async () => {
      const { exitCode, out } = await run("sandbox", "panic")
      expect([exitCode, out]).toEqual([1, expect.stringContaining("left: the audit log")])
      const resumed = await run("sandbox", "resume")
      expect([resumed.exitCode, resumed.err]).toEqual([
        1,
        expect.stringContaining("sentinel: AUDIT_LOG_BROKEN: the audit log is broken at"),
      ])
    })
  })

  test("simulate refuses where there is no sandbox, and names what is wrong with a payload", async () => {
    const file = join(directory, "payload")
    await Bun.write(file, "' OR 1=1--")
    const none = await run("simulate", "--class", "sql_injection", file)
    expect([none.exitCode, none.out]).toEqual([1, ""])
    expect(none.err).toContain("SANDBOX_UNAVAILABLE")
    expect((await run("simulate", "--class", "benign", file)).exitCode).toBe(2)
    await Bun.write(file, Uint8Array.of(0xff))
    expect((await run("simulate", "--class", "xss", file)).err).toContain("MALFORMED: payload")
    await Bun.write(file, "x".repeat(16_385))
    expect((await run("simulate", "--class", "xss", file)).err).toContain("TOO_LARGE: payload")
    const missing = await run("simulate", "--class", "xss", join(directory, "none"))
    expect(missing.err).toContain("FILE_UNREADABLE")
  })
})
