import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test"
import { mkdir, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { doctor } from "../../src/commands/doctor.ts"
import { startSentinel } from "../../src/compose/server.ts"
import { readConfig } from "../../src/config.ts"
import { createLogger } from "../../src/log.ts"
import { openPanicState } from "../../src/sandbox/panic-state.ts"
import { startGatekeeper } from "../support/gatekeeper/gatekeeper.ts"
import { recordTerminal } from "../support/terminal.ts"

// it starts processes, and the machine may be busy
setDefaultTimeout(60_000)
let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "sentinel-doctor-"))
})

afterEach(async () => {
  await rm(directory, { recursive: true, force: true })
})

async function examine(variables: Readonly<Record<string, string>> = {}) {
  const terminal = recordTerminal({
    PATH: Bun.env.PATH ?? "",
    HOME: directory,
    SENTINEL_SERVICES_CACHE: join(directory, "cache"),
    SENTINEL_SERVICES_DATA: join(directory, "services"),
    SENTINEL_DATA_DIR: join(directory, "data"),
    ...variables,
  })
  return { exitCode: await doctor(terminal), screen: terminal.written() }
}

describe("doctor", () => {
  test("doctor finds a machine with nothing but the embedded parts in order", async () => {
    const { exitCode, screen } = await examine()
    expect(exitCode).toBe(0)
    expect(screen).toMatch(/^ {2}ok +models +payload-linear\/\S+ and session-forest\S+ agree/m)
    expect(screen).toMatch(/^ {2}off +Kafka +not configured/m)
    expect(screen).toMatch(/^ {2}missing +kafka \(tests\)/m)
    expect(screen).toMatch(
      /^ {2}optional +k6 \(bench serving\) +nothing but bench serving needs it/m,
    )
    expect(screen).toContain("kafka (tests): scripts/services install kafka\n")
    expect(screen.split("\n").length).toBeLessThan(36)
  })

  test("doctor says what payloads run in, and what to do where a panic is on", async () => {
    const off = await examine({ SENTINEL_SANDBOX: "none" })
    expect(off.screen).toMatch(/^ {2}off +sandbox +SENTINEL_SANDBOX is none/m)
    const docker = { SENTINEL_SANDBOX: "docker", DOCKER_HOST: `unix://${directory}/none.sock` }
    const missing = await examine(docker)
    expect([missing.exitCode, missing.screen]).toEqual([
      1,
      expect.stringMatching(/^ {2}FAILED +sandbox +.*Docker/m),
    ])
    expect(missing.screen).toMatch(/^ {2}ok +audit log +intact, 0 entries/m)
    openPanicState(join(directory, "data/sandbox")).set("test")
    expect((await examine()).screen).toContain("sandbox: ./sentinel sandbox resume\n")
  })

  test("doctor asks the running server for its sandbox, and reads the audit log", async () => {
    const data = join(directory, "data")
    const audit = join(data, "audit")
    await mkdir(audit, { recursive: true })
    await Bun.write(join(audit, "sandbox-audit.jsonl"), '{"sequence": 7}\n')
    const settings = { SENTINEL_DATA_DIR: data, SENTINEL_PORT: "0" }
    const log = createLogger({ write: () => undefined, nowMs: () => Date.now() })
    const running = await startSentinel(readConfig(settings), "serve", log)
    try {
      const { exitCode, screen } = await examine()
      expect(exitCode).toBe(1)
      expect(screen).toMatch(/^ {2}FAILED +audit log +broken at sandbox-audit\.jsonl:1: /m)
      if (Bun.which("bwrap") !== null) {
        expect(screen).toMatch(/^ {2}off +sandbox +the server runs the API alone/m)
      }
    } finally {
      await running.stop()
    }
  })

  test("doctor fails where start would: the address, the never-block list, the data directory", async () => {
    const open = await examine({ SENTINEL_HOST: "0.0.0.0" })
    expect(open.screen).toMatch(/^ {2}FAILED +configuration +.*SENTINEL_API_TOKEN: needed/m)
    const list = await examine({ SENTINEL_NEVER_BLOCK_FILE: join(directory, "none") })
    expect(list.screen).toMatch(/^ {2}FAILED +configuration +.*SENTINEL_NEVER_BLOCK_FILE: cannot/m)
    const proc = await examine({ SENTINEL_DATA_DIR: "/proc/sentinel" })
    expect(proc.screen).toMatch(/^ {2}FAILED +data directory +not writable/m)
    expect([open.exitCode, list.exitCode, proc.exitCode]).toEqual([1, 1, 1])
  })

  test("doctor asks Gatekeeper for its rules, and says what to check where it refuses the token", async () => {
    await using gatekeeper = await startGatekeeper()
    const variables = { GATEKEEPER_API_URL: gatekeeper.url, SENTINEL_SANDBOX: "none" }
    const right = await examine({ ...variables, GATEKEEPER_API_TOKEN: gatekeeper.token })
    expect(right.screen).toMatch(/^ {2}ok +Gatekeeper +answers, 0 of its 0 active rules are ours/m)
    const wrong = await examine({ ...variables, GATEKEEPER_API_TOKEN: "wr0ng-t0ken" })
    expect(wrong.exitCode).toBe(1)
    expect(wrong.screen).toContain("Gatekeeper: check GATEKEEPER_API_URL, GATEKEEPER_API_TOKEN")
    expect(wrong.screen).not.toContain("wr0ng-t0ken")
  })

  test("doctor reports a bad variable on one line, without its value", async () => {
    const { exitCode, screen } = await examine({ SENTINEL_PORT: "harbour", SENTINEL_PROT: "quay" })
    expect(exitCode).toBe(1)
    expect(screen).toMatch(/^ {2}FAILED +configuration +.*SENTINEL_PORT: expected/m)
    expect(screen).toMatch(/^ {2}FAILED +variable +SENTINEL_PROT is unknown/m)
    expect(screen).toContain("did you mean SENTINEL_PORT?")
    expect(screen).not.toMatch(/harbour|quay/)
  })

  test("doctor reports a store that does not answer, says what to check, never a key", async () => {
    const { exitCode, screen } = await examine({
      MINIO_ENDPOINT: "127.0.0.1:1",
      MINIO_ACCESS_KEY: "the-user",
      MINIO_SECRET_KEY: "the-secret",
    })
    expect(exitCode).toBe(1)
    expect(screen).toMatch(/^ {2}FAILED +MinIO /m)
    expect(screen).toContain("MinIO: check MINIO_ENDPOINT")
    expect(screen).not.toContain("the-secret")
  })
})
