import { join } from "node:path"
import type { Kafka } from "../../src/connectors/kafka-client.ts"
import { countMessages } from "../harness-kafka.ts"
import { WORK } from "./work.ts"

export interface ClientRun {
  /** User and system time of the client's whole process tree. */
  readonly cpuMicrosecondsEach: number
  readonly eventsPerSecond: number
  readonly peakMiB: number
}

export interface ClientOptions {
  readonly brokers: string
  readonly count: number
  readonly command: readonly string[]
}

const TIMEOUT_MS = 300_000

/** A program of this directory, run by bun: it takes brokers, count and group as its arguments. */
export function bunProgram(file: string): readonly string[] {
  return [process.execPath, join(import.meta.dir, file)]
}

/**
 * Runs one client over the whole input topic, in a group of its own, and checks what it wrote.
 * @throws Error when it fails, or writes another number of records than there are
 */
export async function runClient(kafka: Kafka, options: ClientOptions): Promise<ClientRun> {
  const before = await outputs(kafka)
  const startedMs = performance.now()
  const group = `bench-${crypto.randomUUID()}`
  const child = Bun.spawn([...options.command, options.brokers, String(options.count), group], {
    stdio: ["ignore", "ignore", "inherit"],
    timeout: TIMEOUT_MS,
    killSignal: "SIGKILL",
  })
  const code = await child.exited
  const seconds = (performance.now() - startedMs) / 1_000
  if (code !== 0) throw new Error(`${options.command.at(-1)} ended with ${code}`)
  const after = await outputs(kafka)
  const wrong = Math.round(options.count * WORK.wrong)
  const written = { output: after.output - before.output, dead: after.dead - before.dead }
  if (written.output !== options.count - wrong || written.dead !== wrong) {
    throw new Error(`${options.command.at(-1)} wrote ${JSON.stringify(written)}`)
  }
  const usage = child.resourceUsage()
  return {
    cpuMicrosecondsEach: Number(usage?.cpuTime.total ?? Number.NaN) / options.count,
    eventsPerSecond: options.count / seconds,
    peakMiB: (usage?.maxRSS ?? Number.NaN) / 2 ** 20,
  }
}

async function outputs(kafka: Kafka) {
  return {
    output: await countMessages(kafka, WORK.output),
    dead: await countMessages(kafka, WORK.dead),
  }
}
