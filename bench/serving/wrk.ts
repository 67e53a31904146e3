import { join } from "node:path"
import { runTool } from "../detection/peer.ts"
import { CORES, type ServerProcess } from "./process.ts"

const SCRIPT = join(import.meta.dir, "load.lua")
const TIMEOUT = "5s"

export type Mode = "uncached" | "cached" | "mixed" | "batch" | "explain"

export interface LoadOptions {
  readonly mode: Mode
  readonly connections: number
  readonly seconds: number
  /** From `escapedLines`. */
  readonly textsFile: string
}

/** What one run of a load generator saw. */
export interface LoadRun {
  /** Answers 200 per second; all others are failures. */
  readonly perSecond: number
  readonly answered: number
  readonly failed: number
  /** Microseconds by percentile, e.g. "99". */
  readonly percentiles: Readonly<Record<string, number>>
  /** CPU time of the server for each request. */
  readonly cpuMicrosecondsEach: number
}

let runs = 0

/** Closed loop: each connection asks again as soon as it has its answer. */
export async function runWrk(server: ServerProcess, options: LoadOptions): Promise<LoadRun> {
  const { mode, connections, seconds, textsFile } = options
  const run = `${process.pid.toString(36)}-${runs++}-`
  const before = server.cpuMicroseconds()
  const output = await runTool([
    ...["taskset", "-c", CORES.load, "wrk", "--threads", "1", "--timeout", TIMEOUT],
    ...["--connections", `${connections}`, "--duration", `${seconds}s`, "--script", SCRIPT],
    ...[server.url, "--", mode, textsFile, run],
  ])
  const spent = server.cpuMicroseconds() - before
  const line = output.split("\n").find((candidate) => candidate.startsWith("{")) ?? ""
  const { requests, microseconds, status, broken, percentiles } = JSON.parse(line)
  return {
    perSecond: ((requests - status) * 1_000_000) / microseconds,
    answered: requests - status,
    failed: status + broken,
    percentiles,
    cpuMicrosecondsEach: spent / requests,
  }
}
