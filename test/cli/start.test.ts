import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { cp, mkdtemp, rename, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { findServer } from "../../src/store/data-directory.ts"
import { spawnSentinel } from "../support/sentinel-process.ts"
import { until } from "../support/until.ts"

/** The command line as a process: what only a process shows. */

const ROOT = resolve(import.meta.dir, "../..")
const MAIN = join(ROOT, "src/main.ts")

const spawn = (command: string) => spawnSentinel([command], { SENTINEL_DATA_DIR: dataDir })

let directory: string
let dataDir: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "sentinel-start-"))
  dataDir = join(directory, "data")
})

afterEach(async () => {
  await rm(directory, { recursive: true, force: true })
})

describe("sentinel start", () => {
  test("start answers predict-payload, judges what is dropped into the inbox, stops on SIGTERM", async () => {
    const child = spawn("start")
    try {
      const { port } = await until(() => findServer(dataDir))
      const api = `http://127.0.0.1:${port}/api/v1/sentinel`
      expect(await predict(api, "1' OR '1'='1")).toBe("sql_injection")
      expect(await predict(api, "O'Brien & Sons")).toBe("benign")

      await cp(join(ROOT, "examples/attack-session.json"), join(dataDir, "inbox/.arriving"))
      await rename(join(dataDir, "inbox/.arriving"), join(dataDir, "inbox/attack.json"))
      const verdict = await until(async () => {
        const page = await fetch(`${api}/verdicts?session_id=example-attack-1`)
        const { verdicts } = (await page.json()) as { verdicts: { verdict: string }[] }
        return verdicts[0]?.verdict
      })
      expect(verdict).toBe("simulate")
      await until(() => Bun.file(join(dataDir, "done/attack.json")).exists())

      child.kill("SIGTERM")
      expect(await child.exited).toBe(0)
      const log = await new Response(child.stderr).text()
      expect(log).toMatch(/"sentinel is stopping".*\n(.*\n)*.*"sentinel has stopped","exit_code":0/)
      expect(findServer(dataDir)).toBeUndefined()
    } finally {
      child.kill("SIGKILL")
    }
  }, 60_000)

  test("start refuses a data directory that another server owns", async () => {
    const owner = spawn("start")
    try {
      await until(() => findServer(dataDir))
      const second = spawn("start")
      expect(await second.exited).toBe(1)
      expect(await new Response(second.stderr).text()).toContain("DATA_DIRECTORY_IN_USE")
    } finally {
      owner.kill("SIGKILL")
      await owner.exited
    }
  }, 60_000)
})

describe("sentinel as a process", () => {
  test("sentinel ends quietly when its reader has seen enough", async () => {
    const line = JSON.stringify({ text: "a".repeat(200) })
    const input = join(directory, "in.jsonl")
    await Bun.write(input, `${line}\n`.repeat(5_000))
    const command = `"$1" --no-env-file "$2" classify --in "$3" | head -n 1 >/dev/null`
    const child = Bun.spawn(
      ["bash", "-c", `set -o pipefail; ${command}`, "-", process.execPath, MAIN, input],
      {
        cwd: directory,
        stdio: ["ignore", "ignore", "pipe"],
      },
    )
    expect(await new Response(child.stderr).text()).toBe("")
    expect(await child.exited).toBe(0)
  })
})

async function predict(api: string, payload: string): Promise<unknown> {
  const response = await fetch(`${api}/predict-payload`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ payload }),
  })
  return ((await response.json()) as { class: unknown }).class
}
