import { readFileSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** One core for the server, another for whatever asks it. */
export const CORES = { server: "0", load: "1" } as const

const READY_TIMEOUT_MS = 60_000
const POLL_MS = 50
/** Linux counts CPU time in ticks of 10 ms (USER_HZ), whatever the kernel's own clock. */
const TICK_MICROSECONDS = 10_000

export interface ServerCommand {
  readonly name: string
  /** `port` and `directory` (its own, empty) are known only when it starts. */
  command(place: { readonly port: number; readonly directory: string }): readonly string[]
  env?(place: { readonly port: number; readonly directory: string }): Record<string, string>
}

export interface ServerProcess extends AsyncDisposable {
  readonly name: string
  readonly url: string
  readonly pid: number
  readonly directory: string
  /** User and system time since it started, every thread. */
  cpuMicroseconds(): number
}

/** Starts a server on its core and waits until it answers. @throws Error when it does not */
export async function startServer(server: ServerCommand): Promise<ServerProcess> {
  const directory = await mkdtemp(join(tmpdir(), "sentinel-bench-"))
  const place = { port: await freePort(), directory }
  const log = join(directory, "log")
  const child = Bun.spawn(["taskset", "-c", CORES.server, ...server.command(place)], {
    env: { ...process.env, ...server.env?.(place) },
    stdio: ["ignore", Bun.file(log), Bun.file(log)],
  })
  const url = `http://127.0.0.1:${place.port}`
  const stop = async () => {
    child.kill("SIGTERM")
    await Promise.race([child.exited, Bun.sleep(5_000)])
    child.kill("SIGKILL")
    await child.exited
    await rm(directory, { recursive: true, force: true })
  }
  try {
    await untilAnswering(url, child)
  } catch (error) {
    process.stderr.write(await Bun.file(log).text())
    await stop()
    throw error
  }
  return {
    ...{ name: server.name, url, pid: child.pid, directory },
    cpuMicroseconds: () => cpuMicroseconds(child.pid),
    [Symbol.asyncDispose]: stop,
  }
}

async function untilAnswering(
  url: string,
  child: { readonly exitCode: number | null },
): Promise<void> {
  const deadlineMs = performance.now() + READY_TIMEOUT_MS
  const body = JSON.stringify({ payload: "ready?" })
  const headers = { "content-type": "application/json" }
  for (;;) {
    const response = await fetch(`${url}/api/v1/sentinel/predict-payload`, {
      ...{ method: "POST", headers, body },
    }).catch(() => undefined)
    if (response?.ok) return
    if (child.exitCode !== null || performance.now() > deadlineMs) {
      throw new Error(`the server did not answer: ${response?.status ?? child.exitCode}`)
    }
    await Bun.sleep(POLL_MS)
  }
}

function cpuMicroseconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
  // the name in parentheses may hold blanks; user and system time are fields 14 and 15
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  return (Number(fields[11]) + Number(fields[12])) * TICK_MICROSECONDS
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      server.close(() => resolve(port))
    })
  })
}
