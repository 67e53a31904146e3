import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { SandboxPanickedError } from "../../src/errors.ts"
import { destroyInstance, panicInstance } from "../../src/sandbox/destroy-instance.ts"
import { openDockerEngine } from "../../src/sandbox/docker-engine.ts"
import { instanceOf, processMark } from "../../src/sandbox/instance.ts"
import { makeLimitGroup } from "../../src/sandbox/limit-group.ts"
import { TWIN_LIMITS_BY_CLASS } from "../../src/sandbox/limits.ts"
import { markedProcesses } from "../../src/sandbox/marked-processes.ts"
import type { PreparedSandbox } from "../../src/sandbox/open-sandbox.ts"
import { requireService } from "../support/services.ts"
import { until } from "../support/until.ts"
import { type LaboratoryDriver, proberRequest, proberSandbox } from "./laboratory.ts"

/** The whole sandbox, over real containers and namespaces, with a twin that misbehaves on demand. */

const docker = await requireService("docker")
const bubblewrap = await requireService("bubblewrap")

const drivers: readonly [LaboratoryDriver, boolean][] = [
  ["docker", docker !== undefined],
  ["bubblewrap", bubblewrap !== undefined],
]
const TEST_MS = 60_000

for (const [mode, isThere] of drivers) {
  describe.skipIf(!isThere)(`createSandbox over ${mode}`, () => {
    let stateDirectory: string
    let sandbox: PreparedSandbox
    let audited: string[]
    let auditFails: boolean

    const open = () => {
      return proberSandbox({
        ...{ mode, stateDirectory, dockerHost: docker?.dockerHost },
        async audit(eventType) {
          if (auditFails) throw new Error("disk full")
          audited.push(eventType)
        },
      })
    }
    const run = (question: Parameters<typeof proberRequest>[0], timeoutMs = 20_000) =>
      sandbox.run(proberRequest(question), { timeoutMs })

    beforeEach(async () => {
      stateDirectory = mkdtempSync(join(tmpdir(), "sentinel-sandbox-"))
      audited = []
      auditFails = false
      sandbox = open()
      await sandbox.ready()
    }, TEST_MS)

    afterEach(async () => {
      await sandbox.close()
      expect(await left(stateDirectory)).toEqual([])
      await destroyInstance(stateDirectory)
      rmSync(stateDirectory, { recursive: true, force: true })
    }, TEST_MS)

    test("describes its driver, its image and its limits", () => {
      const { driver, imageDigest, limits, notes } = sandbox.describe()
      expect({ driver, notes }).toEqual({ driver: mode, notes: [] })
      expect(imageDigest).toMatch(/^sha256:[0-9a-f]{64}$/)
      expect(limits).toMatchObject({ memory_bytes: 384 * 1024 * 1024, timeout_ms: 10_000 })
    })

    test(
      "kills a run from outside when its time is over, and goes on with another host",
      async () => {
        const { answer, outside } = await run({ op: "hang" }, 700)
        expect({ answer, timedOut: outside.timedOut }).toEqual({
          answer: undefined,
          timedOut: true,
        })
        expect(outside.exitCode).toBe(137)
        expect(audited).toContain("timeout")
        const next = await run({ op: "environment" })
        expect(next.outside.timedOut).toBe(false)
      },
      TEST_MS,
    )

    test(
      "sees from outside that a twin left, and with what exit code",
      async () => {
        const { answer, outside } = await run({ op: "leave" })
        expect(answer).toBeUndefined()
        expect(outside).toMatchObject({ exitCode: 3, timedOut: false, outOfMemory: false })
      },
      TEST_MS,
    )

    test(
      "sees from outside that memory ran out",
      async () => {
        const { outside } = await run({ op: "crowd", mode: "eat", count: 1, ms: 20_000 })
        expect(outside.outOfMemory).toBe(true)
        expect(audited).toContain("out_of_memory")
      },
      TEST_MS,
    )

    test(
      "takes no answer where somebody else may have written, and replaces the host",
      async () => {
        const { answer } = await run({ op: "chatter" })
        expect(answer).toBeUndefined()
        expect(sandbox.pool().sql_injection?.replaced).toBe(1)
      },
      TEST_MS,
    )

    test(
      "runs nothing that the audit log cannot hold",
      async () => {
        await run({ op: "environment" })
        auditFails = true
        await expect(run({ op: "environment" })).rejects.toThrow("disk full")
        auditFails = false
      },
      TEST_MS,
    )

    test(
      "has its driver again once the audit log takes entries, and after a start that was cut off",
      async () => {
        await sandbox.close()
        auditFails = true
        sandbox = open()
        await sandbox.ready()
        await sandbox.close()
        auditFails = false
        const instance = instanceOf(stateDirectory)
        if (mode === "bubblewrap") makeLimitGroup(`${instance}-1`, TWIN_LIMITS_BY_CLASS.xss)
        sandbox = open()
        await sandbox.ready()
        expect(sandbox.describe()).toMatchObject({ driver: mode, notes: [] })
      },
      TEST_MS,
    )

    // Docker makes its groups itself
    if (mode === "bubblewrap") {
      test(
        "leaves no control group where the audit log takes no entry",
        async () => {
          await sandbox.close()
          auditFails = true
          sandbox = open()
          await sandbox.ready()
          expect(sandbox.describe().driver).toBe("none")
          // would be refused if the group were still there
          const instance = instanceOf(stateDirectory)
          const again = makeLimitGroup(`${instance}-1`, TWIN_LIMITS_BY_CLASS.xss)
          await again?.remove()
        },
        TEST_MS,
      )
    }

    test(
      "a caller that gives up ends the run",
      async () => {
        const request = proberRequest({ op: "hang" })
        const signal = AbortSignal.timeout(500)
        const given = sandbox.run(request, { timeoutMs: 20_000, signal })
        await expect(given).rejects.toThrow()
      },
      TEST_MS,
    )

    test(
      "panic destroys busy hosts, leaves nothing and refuses until resume, restarts included",
      async () => {
        await run({ op: "environment" })
        const busy = [1, 2, 3].map(() => run({ op: "hang" }))
        const outcomes = Promise.allSettled(busy)
        await until(() => sandbox.pool().sql_injection?.busy === 3)
        const report = await sandbox.panic("a test")
        expect(report).toMatchObject({ isClean: true, left: [] })
        expect(await left(stateDirectory)).toEqual([])
        for (const outcome of await outcomes) {
          expect(outcome).toMatchObject({
            status: "rejected",
            reason: expect.any(SandboxPanickedError),
          })
        }
        await expect(run({ op: "environment" })).rejects.toBeInstanceOf(SandboxPanickedError)
        await sandbox.close()
        expect(await left(stateDirectory)).toEqual([])
        sandbox = open()
        await sandbox.ready()
        expect(sandbox.isPanicked()).toBe(true)
        await expect(run({ op: "environment" })).rejects.toBeInstanceOf(SandboxPanickedError)
        await sandbox.resume()
        expect((await run({ op: "environment" })).outside.timedOut).toBe(false)
        expect(audited.filter((event) => event === "panic" || event === "resume")).toEqual([
          "panic",
          "resume",
        ])
      },
      TEST_MS,
    )

    test(
      "panicInstance works from another process, and the sandbox obeys it",
      async () => {
        const child = await startBusyChild(mode, stateDirectory, 2)
        const report = await panicInstance(stateDirectory, "a test")
        expect(report).toMatchObject({ isClean: true, left: [] })
        expect(report.destroyed).toBeGreaterThanOrEqual(2)
        child.kill("SIGKILL")
        await child.exited
        expect(sandbox.isPanicked()).toBe(true)
        await sandbox.resume()
      },
      TEST_MS,
    )

    test(
      "after kill -9 in mid-run nothing is left once another has started",
      async () => {
        const child = await startBusyChild(mode, stateDirectory, 2)
        expect((await left(stateDirectory)).length).toBeGreaterThan(0)
        child.kill("SIGKILL")
        await child.exited
        await sandbox.close()
        sandbox = open()
        await sandbox.ready()
        expect(await left(stateDirectory)).toEqual([])
      },
      TEST_MS,
    )

    test(
      "a start does not touch what another living instance has",
      async () => {
        const other = mkdtempSync(join(tmpdir(), "sentinel-sandbox-"))
        const child = await startBusyChild(mode, other, 1)
        const before = await left(other)
        await sandbox.close()
        sandbox = open()
        await sandbox.ready()
        expect(await left(other)).toEqual(expect.arrayContaining([...before]))
        child.kill("SIGKILL")
        await child.exited
        expect(await destroyInstance(other)).toMatchObject({ isClean: true })
        rmSync(other, { recursive: true, force: true })
      },
      TEST_MS,
    )
  })
}

/** Processes and containers of an instance, by its mark and its label. */
async function left(stateDirectory: string): Promise<readonly string[]> {
  const mark = processMark(instanceOf(stateDirectory))
  const processes = markedProcesses(mark).map((pid) => `process ${pid}`)
  if (docker === undefined) return processes
  const containers = await openDockerEngine(docker.dockerHost).list(mark)
  return [...processes, ...containers.map(({ id }) => `container ${id}`)]
}

async function startBusyChild(mode: string, stateDirectory: string, count: number) {
  const script = join(import.meta.dir, "panic-child.ts")
  const args = [mode, stateDirectory, String(count), docker?.dockerHost ?? ""]
  const child = Bun.spawn([process.execPath, script, ...args], {
    ...{ stdin: "pipe", stdout: "pipe", stderr: "ignore" },
  })
  const reader = child.stdout.getReader()
  await reader.read() // "busy"
  reader.releaseLock()
  return child
}
