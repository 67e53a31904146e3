import { afterAll, describe, expect, test } from "bun:test"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import type { TwinRequest } from "../../src/twin-protocol.ts"
import { readLines } from "../../src/twins/lines.ts"
import { parseTwinRequest } from "../../src/twins/twin-request.ts"

/** Goal: the program of the twins as the sandbox speaks to it. Method: the real one, as a process. */

const MAIN = resolve(import.meta.dir, "../../src/twins/main.ts")
const CANARY = "00112233445566778899aabbccddeeff"
const SPINS =
  "1; WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT max(x) FROM c"
const directory = mkdtempSync(join(tmpdir(), "twin-process-"))
const started: Bun.Subprocess[] = []
afterAll(async () => {
  for (const child of started) child.kill("SIGKILL")
  await Promise.all(started.map((child) => child.exited))
  rmSync(directory, { recursive: true, force: true })
})

function startTwin(...args: readonly string[]) {
  const env = { PATH: "/usr/bin:/bin", TWIN_WORK_DIR: directory }
  const child = Bun.spawn([process.execPath, MAIN, ...args], {
    ...{ env, stdin: "pipe", stdout: "pipe", stderr: "ignore" },
  } as const)
  started.push(child)
  const lines = readLines(child.stdout)
  const next = async () => JSON.parse((await lines.next()).value ?? "null")
  const send = (line: unknown) => {
    child.stdin.write(`${typeof line === "string" ? line : JSON.stringify(line)}\n`)
    child.stdin.flush()
  }
  return { child, next, send }
}

function request(payload: string, change: Partial<TwinRequest> = {}): TwinRequest {
  const common = { id: "7", class: "sql_injection", location: "query:q", canary: CANARY } as const
  return { ...common, payload, budgetMs: 10_000, ...change }
}

describe("twin serve", () => {
  test("serveTwins answers request after request, bad lines included, and ends with its input", async () => {
    const { child, next, send } = startTwin("serve", "sql_injection", "path_traversal")
    expect(await next()).toEqual({ ready: true, classes: ["sql_injection", "path_traversal"] })
    send(request("1 OR 1=1", { templates: ["numeric"] }))
    expect(await next()).toMatchObject({ id: "7", attempts: [{ template: "numeric" }] })
    send("no JSON")
    expect(await next()).toEqual({ error: "the line is no JSON object" })
    send({ ...request("1 OR 1=1"), canary: "1 OR 1=1" })
    expect(await next()).toEqual({ error: "canary is missing or out of its range" })
    send(request("../../etc/passwd", { class: "path_traversal", templates: ["join"] }))
    expect(await next()).toMatchObject({ class: "path_traversal", attempts: [{}] })
    send(request("hello"))
    expect(await next()).toMatchObject({ attempts: [], controlAttempts: [] })
    child.stdin.end()
    expect(await child.exited).toBe(0)
    expect(readdirSync(directory)).toEqual([])
  }, 60_000)

  test("TwinProcess is killed at its budget, keeps what it found before, and the next one runs", async () => {
    const { child, next, send } = startTwin("serve", "sql_injection")
    await next()
    send(request(SPINS, { budgetMs: 100, templates: ["numeric"] }))
    expect(await next()).toMatchObject({ attempts: [], inconclusive: "budget_exceeded" })
    const found = `x' UNION SELECT ${"1, ".repeat(2)}password FROM users -- `
    send(request(found, { templates: ["quoted"] }))
    expect(await next()).toMatchObject({ attempts: [{ template: "quoted" }] })
    child.stdin.end()
    await child.exited
    expect(readdirSync(directory)).toEqual([])
  }, 60_000)
})

describe("twin run", () => {
  test("runTwin answers one line and exits with 0", async () => {
    const { child, next, send } = startTwin("run", "sql_injection")
    expect(await next()).toEqual({ ready: true, class: "sql_injection" })
    send(request("1 OR 1=1", { templates: ["numeric"] }))
    expect(await next()).toMatchObject({ id: "7", templatesTried: 1 })
    expect(await child.exited).toBe(0)
  }, 60_000)

  test("main refuses a mode and a class that it does not know", async () => {
    for (const args of [[], ["run"], ["run", "phishing"], ["fly"]]) {
      expect(await startTwin(...args).child.exited).toBe(2)
    }
  }, 60_000)
})

describe("parseTwinRequest", () => {
  test("parseTwinRequest names the first field that is wrong, and echoes nothing", () => {
    const valid = request("x")
    const wrong = { id: 1, class: "dos", payload: 1, location: null, canary: "A", templates: "x" }
    for (const [field, value] of Object.entries({ ...wrong, budgetMs: 0 })) {
      const parsed = parseTwinRequest(JSON.stringify({ ...valid, [field]: value }))
      expect(parsed).toEqual({ problem: `${field} is missing or out of its range` })
    }
    expect(parseTwinRequest(JSON.stringify({ ...valid, more: 1 }))).toEqual({ request: valid })
    expect(parseTwinRequest("[]")).toEqual({ problem: "the line is no JSON object" })
  })
})

describe("readLines", () => {
  test("readLines joins chunks, skips what is too long whole, and drops an unfinished line", async () => {
    const chunks = ["a", "b\nc", "\n", "123456", "789\nd\n\ne"]
    const stream = new Blob(chunks).stream().pipeThrough(new TransformStream())
    const lines: (string | undefined)[] = []
    for await (const line of readLines(stream, 8)) lines.push(line)
    expect(lines).toEqual(["ab", "c", undefined, "d", ""])
  })
})
