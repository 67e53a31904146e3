import { join } from "node:path"
import { runTool } from "../detection/peer.ts"
import { CORES, type ServerProcess } from "./process.ts"

const CLIENT = join(import.meta.dir, "open-loop-client.ts")

export interface OpenLoopPlan {
  readonly port: number
  readonly textsFile: string
  /** Requests per second. */
  readonly rate: number
  readonly seconds: number
  /** What finds all of them busy waits until one is free; its wait counts. */
  readonly connections: number
  /** A word that no other run uses. */
  readonly run: string
}

export interface OpenLoopResult {
  /** Answers by status; `broken` and `refused` are connections. */
  readonly statuses: Readonly<Record<string, number>>
  /** Requests that found no connection until the end. */
  readonly unsent: number
  readonly unanswered: number
  /** Milliseconds of the answers 200 by percentile, from the time that the request was due ... */
  readonly millisecondsFromSchedule: Readonly<Record<string, number>>
  /** ... or from the time that it was written to its connection. */
  readonly millisecondsFromSend: Readonly<Record<string, number>>
}

let runs = 0

/** Open loop: requests come when they come, however long the answers take. */
export async function runOpenLoop(
  server: ServerProcess,
  options: Omit<OpenLoopPlan, "port" | "run">,
): Promise<OpenLoopResult> {
  const run = `${process.pid.toString(36)}-o${runs++}-`
  const plan: OpenLoopPlan = { ...options, run, port: Number(new URL(server.url).port) }
  const command = ["taskset", "-c", CORES.load, process.execPath, CLIENT, JSON.stringify(plan)]
  return JSON.parse(await runTool(command))
}

/** Everything but 200. */
export function failuresOf({ statuses, unanswered }: OpenLoopResult): number {
  const others = Object.entries(statuses).filter(([status]) => status !== "200")
  return others.reduce((sum, [, count]) => sum + count, unanswered)
}
