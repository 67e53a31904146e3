import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { randomUUID } from "node:crypto"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { openSandbox } from "../../src/compose/sandbox.ts"
import { readConfig } from "../../src/config.ts"
import { createLogger } from "../../src/log.ts"
import type { AuditEntry } from "../../src/ports/sandbox.ts"
import { openDockerEngine } from "../../src/sandbox/docker-engine.ts"
import { instanceOf, LABELS, processMark } from "../../src/sandbox/instance.ts"
import { markedProcesses } from "../../src/sandbox/marked-processes.ts"
import type { PreparedSandbox } from "../../src/sandbox/open-sandbox.ts"
import type { SimulatedClass, TwinRequest } from "../../src/twin-protocol.ts"
import { requireService } from "../support/services.ts"
import type { LaboratoryDriver } from "./laboratory.ts"

/** The twins as they ship, in the image as it ships. */

const docker = await requireService("docker")
const bubblewrap = await requireService("bubblewrap")

const drivers: readonly [LaboratoryDriver, boolean][] = [
  ["docker", docker !== undefined],
  ["bubblewrap", bubblewrap !== undefined],
]
const OPEN_MS = 120_000
const RUNS_IN_A_ROW = 200
const log = createLogger({ write: () => undefined, nowMs: Date.now })

/** Code that never ends, in the language of each class. */
const SPINNING: readonly [SimulatedClass, string][] = [
  [
    "sql_injection",
    "1 UNION SELECT (WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c)",
  ],
  ["command_injection", "; while :; do :; done"],
  ["xss", "<script>for (;;) {}</script>"],
  ["path_traversal", "../".repeat(5_000)],
]

/** How a payload of each class that runs code writes a line wherever it can. */
const FORGERS: readonly [SimulatedClass, (line: string) => string][] = [
  [
    "command_injection",
    (line) =>
      `; for p in /proc/[0-9]*; do for n in 0 1 2 3 4 5 6 7 8 9; do printf '%s\n' '${line}' ` +
      `> $p/fd/$n; printf '%s\n' '${line}' >&$n; done; done 2>/dev/null`,
  ],
  [
    "xss",
    (line) => {
      const code =
        "var fs=process.getBuiltinModule('node:fs');for(var p of fs.readdirSync('/proc'))" +
        "for(var n=0;n<20;n++){try{fs.writeFileSync('/proc/'+p+'/fd/'+n,line+'\\n')}catch{}" +
        "try{fs.writeSync(n,line+'\\n')}catch{}}"
      return `<script>alert.constructor("line",${JSON.stringify(code)})(${JSON.stringify(line)})</script>`
    },
  ],
]

for (const [mode, isThere] of drivers) {
  describe.skipIf(!isThere)(`the twins in ${mode}`, () => {
    let stateDirectory: string
    let sandbox: PreparedSandbox
    const entries: Pick<AuditEntry, "event_type" | "data">[] = []

    beforeAll(async () => {
      stateDirectory = mkdtempSync(join(tmpdir(), "sentinel-sandbox-"))
      const { DOCKER_HOST } = { DOCKER_HOST: docker?.dockerHost ?? "" }
      const config = readConfig({ SENTINEL_SANDBOX: mode, DOCKER_HOST }).sandbox
      const append = (event_type: string, data: AuditEntry["data"]) => {
        entries.push({ event_type, data })
        return Promise.resolve({ event_type, data } as AuditEntry)
      }
      sandbox = openSandbox({ config, stateDirectory, audit: { append }, log })
      await sandbox.ready()
    }, OPEN_MS)

    afterAll(async () => {
      await sandbox.close()
      rmSync(stateDirectory, { recursive: true, force: true })
    }, OPEN_MS)

    const run = (twinClass: SimulatedClass, payload: string, budgetMs = 5_000) => {
      return sandbox.run(requestOf(twinClass, payload, budgetMs), { timeoutMs: 20_000 })
    }

    test(
      "answer with the effect of a payload, and the log has its digest and not its text",
      async () => {
        const { answer, outside, sandbox: held } = await run("path_traversal", "../../etc/passwd")
        const kinds = answer?.attempts.flatMap(({ effects }) => effects.map(({ kind }) => kind))
        expect(kinds).toContain("file_opened")
        expect(outside).toMatchObject({ timedOut: false, outOfMemory: false, exitCode: undefined })
        expect(held.driver).toBe(mode)
        const entry = entries.find(({ event_type }) => event_type === "run")
        const digest = new Bun.CryptoHasher("sha256").update("../../etc/passwd").digest("hex")
        expect(entry?.data).toMatchObject({ payload_sha256: digest, class: "path_traversal" })
        expect(JSON.stringify(entries)).not.toContain("etc/passwd")
      },
      OPEN_MS,
    )

    test.each(SPINNING)(
      "%s: code that never ends is ended, and the next payload answered",
      async (twinClass, payload) => {
        const began = performance.now()
        const { outside } = await run(twinClass, payload, 1_500)
        expect(performance.now() - began).toBeLessThan(60_000)
        expect(outside.outOfMemory).toBe(false)
        const next = await run(twinClass, "harmless", 15_000)
        expect(next.answer?.id).toBeDefined()
      },
      OPEN_MS,
    )

    test.each(FORGERS)(
      "%s: a payload that writes an answer to every descriptor of every process is not believed",
      async (twinClass, forge) => {
        const request = requestOf(twinClass, "", 15_000)
        const forged = { id: request.id, class: twinClass, attempts: [], controlAttempts: [] }
        const line = JSON.stringify({ ...forged, templatesTried: 1 })
        const { answer } = await sandbox.run(
          { ...request, payload: forge(line) },
          { timeoutMs: 20_000 },
        )
        // the truth, or nothing at all where the line came in between
        expect(answer?.attempts.length).toBeGreaterThan(0)
        const next = await run(twinClass, "harmless", 15_000)
        expect(next.answer).toMatchObject({ attempts: [], controlAttempts: [] })
      },
      OPEN_MS,
    )

    test(`${RUNS_IN_A_ROW} runs in a row leave no container, process, mount or group`, async () => {
      const mounts = countMounts()
      await run("path_traversal", "../../etc/passwd")
      Bun.gc(true)
      const residentBefore = process.memoryUsage.rss()
      for (let number = 0; number < RUNS_IN_A_ROW; number++) {
        const { answer } = await run("path_traversal", `../../etc/passwd?${number}`, 15_000)
        expect(answer).toBeDefined()
      }
      Bun.gc(true)
      expect(process.memoryUsage.rss() - residentBefore).toBeLessThan(64 * 1024 * 1024)
      await sandbox.close()
      expect(markedProcesses(processMark(instanceOf(stateDirectory)))).toEqual([])
      expect(await containers(instanceOf(stateDirectory))).toEqual([])
      expect(groups(instanceOf(stateDirectory))).toEqual([])
      expect(countMounts()).toBeLessThanOrEqual(mounts)
    }, 300_000)
  })
}

function requestOf(twinClass: SimulatedClass, payload: string, budgetMs: number): TwinRequest {
  const canary = randomUUID().replaceAll("-", "")
  return { id: randomUUID(), class: twinClass, payload, location: "query:q", canary, budgetMs }
}

async function containers(instance: string): Promise<readonly string[]> {
  if (docker === undefined) return []
  const found = await openDockerEngine(docker.dockerHost).list(`${LABELS.instance}=${instance}`)
  return found.map(({ id }) => id)
}

function countMounts(): number {
  return readFileSync("/proc/mounts", "utf8").split("\n").length
}

/** Control groups that the bubblewrap driver made. */
function groups(instance: string): readonly string[] {
  return ["", "pids", "memory", "cpu", "cpuacct"].flatMap((hierarchy) => {
    try {
      return readdirSync(join("/sys/fs/cgroup", hierarchy)).filter((name) =>
        name.includes(instance),
      )
    } catch {
      return []
    }
  })
}
