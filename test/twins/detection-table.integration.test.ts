import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { systemClock } from "../../src/clock.ts"
import { renderTable } from "../../src/commands/table.ts"
import { openSandbox } from "../../src/compose/sandbox.ts"
import { readConfig } from "../../src/config.ts"
import { createLogger } from "../../src/log.ts"
import { scoreExploits } from "../../src/operators/score-exploit.ts"
import { simulatePayloads } from "../../src/operators/simulate-payloads.ts"
import type { Sandbox } from "../../src/ports/sandbox.ts"
import type { SimulationResult } from "../../src/simulation-result.ts"
import type { SimulatedClass } from "../../src/twin-protocol.ts"
import { MemoryHeads, openTestLog } from "../sandbox/audit-fixture.ts"
import { operatorContext } from "../support/operator-context.ts"
import { requireService } from "../support/services.ts"
import { simulationSubject } from "../support/simulation-subject.ts"
import { simulationTask } from "../support/simulation-task.ts"

/**
 * The verdicts of the whole way through the sandbox on strings that were written before the twins,
 * by somebody who had not seen them (the first commit of strings/ dates it).
 */

const CLASSES = {
  sql: "sql_injection",
  xss: "xss",
  command: "command_injection",
  path: "path_traversal",
} as const satisfies Record<string, SimulatedClass>

const HIT_RATE_MIN = 0.97
const TIMEOUT_MS = 900_000
/** Strings that are in a sandbox at once. */
const CONCURRENCY = 2

interface WrittenString {
  readonly value: string
  readonly kind: "attack" | "benign"
  /** Why it works, or why it is harmless. */
  readonly note: string
  /** Of a database that is no relative of SQLite: may be inconclusive. */
  readonly dialect?: string
  /** Of a system that is no POSIX one: may be inconclusive. */
  readonly platform?: string
}

interface Judged extends WrittenString {
  readonly result: SimulationResult
}

const written = (name: string): Promise<readonly WrittenString[]> =>
  Bun.file(join(import.meta.dir, "strings", `${name}.json`)).json()

async function judge(
  sandbox: Sandbox,
  twinClass: SimulatedClass,
  string: WrittenString,
): Promise<Judged> {
  const subject = simulationSubject({ class: twinClass, value: string.value })
  const planned = {
    ...{ task: simulationTask("detection"), subjects: [subject], known: [] },
    ...{ startedMs: 0, deadlineMs: Number.POSITIVE_INFINITY },
  }
  const simulate = simulatePayloads({ sandbox, clock: systemClock, concurrency: 1 })
  const simulated = await simulate.process(planned, operatorContext())
  const { judged } = await scoreExploits().process(simulated, operatorContext())
  const [first] = judged
  if (first === undefined) throw new Error("nothing was judged")
  return { ...string, result: first.result }
}

async function judgeAll(
  sandbox: Sandbox,
  twinClass: SimulatedClass,
  strings: readonly WrittenString[],
): Promise<readonly Judged[]> {
  const judged: Judged[] = []
  const waiting = strings.values()
  const worker = async () => {
    for (const string of waiting) judged.push(await judge(sandbox, twinClass, string))
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, worker))
  return judged
}

const isHit = ({ result }: Judged) => result.verdict === "exploit_possible"
/** An attack on what the twin is not, which says so instead of guessing. */
const isExcused = ({ dialect, platform, result }: Judged) =>
  (dialect !== undefined && result.reason === "dialect") ||
  (platform !== undefined && result.reason === "platform")

function describeString({ value, result, note }: Judged): string {
  const why = result.reason ?? result.evidence[0] ?? ""
  return `${JSON.stringify(value.slice(0, 100))} ${result.verdict} (${why}): ${note}`
}

describe.each(["docker", "bubblewrap"] as const)("detection in %s", (mode) => {
  let opened: Awaited<ReturnType<typeof openDriver>>
  const rows: string[][] = []

  beforeAll(async () => {
    opened = await openDriver(mode)
  }, TIMEOUT_MS)

  afterAll(async () => {
    const header = ["DRIVER", "CLASS", "HITS", "EXCUSED", "RATE", "FALSE HITS", "BENIGN"]
    if (rows.length > 0) process.stdout.write(`\n${renderTable([header, ...rows])}\n`)
    await opened?.close()
  })

  for (const [name, twinClass] of Object.entries(CLASSES)) {
    test(
      `the ${twinClass} twin in ${mode} proves known attacks and nothing benign`,
      async () => {
        const sandbox = opened?.sandbox
        if (sandbox === undefined) return
        const judged = await judgeAll(sandbox, twinClass, await written(name))
        const attacks = judged.filter(({ kind }) => kind === "attack")
        const benign = judged.filter(({ kind }) => kind === "benign")
        const excused = attacks.filter(isExcused)
        const hits = attacks.filter(isHit)
        const rate = hits.length / (attacks.length - excused.length)
        const falseHits = benign.filter(isHit)
        const counts = [hits.length, excused.length, rate.toFixed(3), falseHits.length]
        rows.push([mode, twinClass, ...counts.map(String), String(benign.length)])
        const missed = attacks.filter((one) => !isHit(one) && !isExcused(one))
        const wrong = [...missed, ...falseHits].map((one) => `  ${describeString(one)}\n`)
        process.stdout.write(wrong.join(""))
        expect(falseHits.map(({ value }) => value)).toEqual([])
        expect(rate).toBeGreaterThanOrEqual(HIT_RATE_MIN)
        expect([attacks.length, benign.length]).toEqual([50, 50])
      },
      TIMEOUT_MS,
    )
  }
})

/** Undefined, and said aloud, where this machine has no such driver. */
async function openDriver(mode: "docker" | "bubblewrap") {
  const connection = await requireService(mode)
  if (connection === undefined) return undefined
  const directory = await mkdtemp(join(tmpdir(), "detection-"))
  const dockerHost = "dockerHost" in connection ? connection.dockerHost : undefined
  const { sandbox: config } = readConfig({ SENTINEL_SANDBOX: mode, DOCKER_HOST: dockerHost })
  const log = createLogger({ write: () => undefined, nowMs: Date.now })
  const audit = await openTestLog(join(directory, "audit"), new MemoryHeads())
  const sandbox = openSandbox({ config, stateDirectory: directory, audit, log })
  const close = async () => {
    await sandbox.close()
    await audit.close()
    await rm(directory, { recursive: true, force: true })
  }
  await sandbox.ready()
  if (sandbox.describe().driver === mode) return { sandbox, close }
  await close()
  throw new Error(sandbox.describe().notes.join("; "))
}
