import { afterAll, beforeAll, expect, test } from "bun:test"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { registerPayloadModel } from "../../src/ml/training/register-payload-model.ts"
import { findServer } from "../../src/store/data-directory.ts"
import { spawnSentinel } from "../support/sentinel-process.ts"
import { until } from "../support/until.ts"

/** Models under traffic as an operator does it: a server, a command line, and kill -9. */

const ROOT = resolve(import.meta.dir, "../..")

let directory = ""
let candidate = ""

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "sentinel-models-"))
  const directories = { shipped: join(ROOT, "models"), registered: join(directory, "models") }
  const by = { directories, parent: "payload-linear/1.4.0", codeVersion: "test" }
  candidate = (await registerPayloadModel({ ...by, seed: 3, generated: 16_000 })).modelId
}, 60_000)

const spawn = (...args: readonly string[]) => spawnSentinel(args, { SENTINEL_DATA_DIR: directory })

const servers: Bun.Subprocess[] = []

afterAll(async () => {
  for (const server of servers) server.kill("SIGKILL")
  await rm(directory, { recursive: true, force: true })
})

async function command(...args: readonly string[]) {
  const child = spawn("models", ...args)
  const stdout = await new Response(child.stdout).text()
  const stderr = await new Response(child.stderr).text()
  return { stdout, stderr, exitCode: await child.exited }
}

/** Starts a server and waits until it answers. */
async function serve() {
  const child = spawn("serve")
  servers.push(child)
  const { port } = await until(() => {
    const server = findServer(directory)
    return server?.pid === child.pid && server
  })
  const api = `http://127.0.0.1:${port}/api/v1/sentinel`
  const ask = async (path: string, body?: object) => {
    const headers = { "content-type": "application/json" }
    const init = body && { method: "POST", headers, body: JSON.stringify(body) }
    return (await (await fetch(`${api}/${path}`, init)).json()) as Record<string, unknown>
  }
  /** The models that answer the payloads of some sessions. */
  const answering = async () => {
    const asked = Array.from({ length: 40 }, (_, session) =>
      ask("predict-payload", { payload: "hello", context: { session_id: `s${session}` } }),
    )
    return [...new Set((await Promise.all(asked)).map(({ model }) => String(model)))].sort()
  }
  const kill = async () => {
    child.kill("SIGKILL")
    await child.exited
  }
  return { ask, answering, kill }
}

test("models are promoted on a running server, survive kill -9, and are rolled back from the shell", async () => {
  const first = await serve()
  const [live] = await first.answering()
  const promotion = { model_id: candidate, canary_percent: 50 }
  expect(await first.ask("models/promote", promotion)).toMatchObject({ state: "canary" })
  expect(await first.answering()).toEqual([String(live), candidate].sort())
  await first.kill()

  const second = await serve()
  expect(await second.answering()).toEqual([String(live), candidate].sort())
  const promoted = await command("promote", candidate)
  expect([promoted.exitCode, promoted.stdout]).toEqual([
    0,
    `${candidate} is live and answers 100% of the sessions now\n`,
  ])
  expect(await second.answering()).toEqual([candidate])
  const sample = { payload: "1' OR '1'='1", session_id: "s1" }
  const report = { sample, reviewer: "anna" }
  expect(await second.ask("dataset/add-false-positive", report)).toMatchObject({
    status: "success",
  })
  const shown = JSON.parse((await command("show", candidate, "--json")).stdout)
  expect(shown).toMatchObject({ status: "live", traffic: { false_positive_reports: 1 } })
  expect(shown.transitions.map(({ to }: { to: string }) => to)).toEqual(["canary", "live"])
  await second.kill()

  const rolledBack = await command("rollback", "--reason", "a drill")
  expect(rolledBack.stdout).toBe(
    `${live} is live and answers 100% of the sessions from the next start\n`,
  )
  const third = await serve()
  expect(await third.answering()).toEqual([String(live)])
  await third.kill()
  const { exitCode, stderr } = await command("promote", "payload-linear/99.0.0")
  expect([exitCode, stderr]).toEqual([1, "sentinel: MODEL_UNKNOWN: there is no model of that id\n"])
}, 120_000)
