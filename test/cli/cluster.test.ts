import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { findServer } from "../../src/store/data-directory.ts"
import { spawnSentinel } from "../support/sentinel-process.ts"
import { until } from "../support/until.ts"

/** Several processes on one port, as they really run. */

const CLIENTS = 4

const serve = (environment: { SENTINEL_PORT?: string; SENTINEL_DATA_DIR: string }) =>
  spawnSentinel(["serve"], { SENTINEL_API_WORKERS: "2", ...environment })

let directory: string
let dataDir: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "sentinel-cluster-"))
  dataDir = join(directory, "data")
})

afterEach(async () => {
  await rm(directory, { recursive: true, force: true })
})

async function childrenOf(pid: number): Promise<readonly number[]> {
  const tasks = await readdir(`/proc/${pid}/task`)
  // a thread may end before it is read
  const texts = tasks.map((task) =>
    readFile(`/proc/${pid}/task/${task}/children`, "utf8").catch(() => ""),
  )
  return (await Promise.all(texts)).join(" ").split(" ").filter(Boolean).map(Number)
}

async function metric(url: string, series: string): Promise<number | undefined> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const line = text.split("\n").find((each) => each.startsWith(`${series} `))
  return line === undefined ? undefined : Number(line.slice(series.length + 1))
}

async function predict(url: string, payload: string): Promise<string> {
  const response = await fetch(`${url}/api/v1/sentinel/predict-payload`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ payload }),
  })
  if (!response.ok) throw new Error(`answered ${response.status}`)
  return ((await response.json()) as { class: string }).class
}

async function started() {
  const child = serve({ SENTINEL_DATA_DIR: dataDir })
  const { port } = await until(() => findServer(dataDir))
  return { child, url: `http://127.0.0.1:${port}` }
}

const RESTARTS = "cerberus_sentinel_api_worker_restarts_total"
const WORKERS = "cerberus_sentinel_api_workers"

describe("sentinel serve with SENTINEL_API_WORKERS=2", () => {
  test("serve goes on after kill -9 of a worker and starts another one; all end on SIGTERM", async () => {
    const { child, url } = await started()
    try {
      expect(await predict(url, "1' OR '1'='1")).toBe("sql_injection")
      expect((await fetch(`${url}/api/v1/sentinel/stats`)).status).toBe(200)
      const [victim = 0, ...others] = await childrenOf(child.pid)
      expect(others.length).toBe(1)
      process.kill(victim, "SIGKILL")
      await until(async () => (await metric(url, RESTARTS)) === 1)
      expect(await metric(url, WORKERS)).toBe(2)
      expect(await predict(url, "O'Brien & Sons")).toBe("benign")
      const workers = await childrenOf(child.pid)
      child.kill("SIGTERM")
      expect(await child.exited).toBe(0)
      for (const worker of workers) expect(() => process.kill(worker, 0)).toThrow()
    } finally {
      child.kill("SIGKILL")
    }
  }, 120_000)

  test("serve replaces its workers on SIGHUP without a failed request for keep-alive clients", async () => {
    const { child, url } = await started()
    try {
      const former = await childrenOf(child.pid)
      const failures: unknown[] = []
      let [asked, over] = [0, false]
      const clients = Array.from({ length: CLIENTS }, async () => {
        while (!over) {
          asked += 1
          await predict(url, `${asked}' OR '1'='1`).catch((error) => failures.push(error))
        }
      })
      child.kill("SIGHUP")
      await until(async () => {
        const now = await childrenOf(child.pid)
        return former.every((pid) => !now.includes(pid))
      })
      over = true
      await Promise.all(clients)
      expect(failures).toEqual([])
      expect(await metric(url, RESTARTS)).toBe(2)
      const misses = 'cerberus_sentinel_cache_hits_total{cache_type="payload",status="miss"}'
      expect(await metric(url, misses)).toBe(asked)
    } finally {
      child.kill("SIGTERM")
      await child.exited
    }
  }, 120_000)

  test("serve does not share its port with another Sentinel", async () => {
    const { child, url } = await started()
    try {
      const SENTINEL_DATA_DIR = join(directory, "other")
      const second = serve({ SENTINEL_DATA_DIR, SENTINEL_PORT: new URL(url).port })
      expect(await second.exited).toBe(1)
      expect(await new Response(second.stderr).text()).toContain("UNAVAILABLE")
    } finally {
      child.kill("SIGTERM")
      await child.exited
    }
  }, 120_000)
})
