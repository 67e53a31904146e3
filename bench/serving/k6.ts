import { join } from "node:path"
import { runTool } from "../detection/peer.ts"
import { CORES, type ServerProcess } from "./process.ts"

const SCRIPT = join(import.meta.dir, "k6/targets.js")

export interface K6Options {
  readonly binary: string
  readonly mode: "cached" | "uncached"
  readonly textsFile: string
  /** Requests per second. */
  readonly rate: number
  readonly seconds: number
}

export interface K6Result {
  readonly requests: number
  readonly failed: number
  /** Requests that k6 could not send in time. */
  readonly dropped: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
}

/** One run of k6 at a constant arrival rate, after as long a warm-up at the same rate. */
export async function runK6(server: ServerProcess, options: K6Options): Promise<K6Result> {
  const { binary, mode, textsFile, rate, seconds } = options
  const output = await runTool(
    ["taskset", "-c", CORES.load, binary, "run", "--quiet", "--no-color", SCRIPT],
    {
      env: {
        ...process.env,
        ...{ K6_NO_USAGE_REPORT: "true", URL: `${server.url}/api/v1/sentinel/predict-payload` },
        ...{ MODE: mode, TEXTS: textsFile, RATE: `${rate}`, SECONDS: `${seconds}` },
      },
    },
  )
  return JSON.parse(output)
}
