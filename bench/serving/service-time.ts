import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Row, row } from "../harness.ts"
import type { Scale } from "./closed-loop.ts"
import { sentinel, timedSentinel } from "./commands.ts"
import { median } from "./pairs.ts"
import { startServer } from "./process.ts"
import { runWrk } from "./wrk.ts"

const GOALS_US = { p50: 20, p99: 150 } as const
/** Calls of the compiler's warm-up are few beside those of so many seconds. */
const SECONDS = 8

/**
 * How long a request is inside the process: one connection, so that none waits for another there.
 */
export async function serviceTimeRows(
  { textsFile }: Scale,
  progress: (line: string) => void,
): Promise<readonly Row[]> {
  progress("service time")
  const directory = await mkdtemp(join(tmpdir(), "sentinel-bench-"))
  const timesFile = join(directory, "times")
  try {
    const load = { mode: "uncached", connections: 1, textsFile } as const
    let cpuMicrosecondsEach: number
    {
      await using server = await startServer(timedSentinel(timesFile))
      const loaded = await runWrk(server, { ...load, seconds: SECONDS })
      cpuMicrosecondsEach = loaded.cpuMicrosecondsEach
    }
    const { p50, p99 } = await Bun.file(timesFile).json()
    const goalOf = (below: number) => ({ of: "value", below }) as const
    return [
      row({
        name: "service time, uncached: p50",
        value: p50,
        unit: "us",
        goal: goalOf(GOALS_US.p50),
      }),
      row({
        name: "service time, uncached: p99",
        value: p99,
        unit: "us",
        goal: goalOf(GOALS_US.p99),
      }),
      row({
        name: "one connection: CPU of the server",
        value: cpuMicrosecondsEach,
        unit: "us/req",
      }),
      await explainRow(textsFile),
    ]
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

const EXPLAIN_ROUNDS = 3
const EXPLAIN_SECONDS = 4

/** What it costs to say why: CPU of the server with `explain` beside without. */
async function explainRow(textsFile: string): Promise<Row> {
  await using server = await startServer(sentinel)
  const load = { connections: 1, textsFile, seconds: EXPLAIN_SECONDS }
  const [explained, plain]: [number[], number[]] = [[], []]
  for (let round = 0; round < EXPLAIN_ROUNDS; round++) {
    explained.push((await runWrk(server, { ...load, mode: "explain" })).cpuMicrosecondsEach)
    plain.push((await runWrk(server, { ...load, mode: "uncached" })).cpuMicrosecondsEach)
  }
  const name = "one connection, with explain beside without: CPU of the server"
  return row({ name, value: median(explained), baseline: median(plain), unit: "us/req" })
}
