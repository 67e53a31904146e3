import { join } from "node:path"
import { ensureTopics, type Kafka, withAdmin } from "../../src/connectors/kafka-client.ts"
import { watchPeak } from "../harness-memory.ts"
import { type ClientArguments, writeArguments } from "./arguments.ts"
import { readOutputs } from "./read-outputs.ts"

export interface ClientRun {
  /** User and system time of the client's whole process tree. */
  readonly cpuMicrosecondsEach: number
  readonly eventsPerSecond: number
  readonly peakMiB: number
}

export interface CheckedRun extends ClientRun {
  /** How many records arrived, and what lies in the dead topic. */
  readonly arrived: number
  readonly letters: readonly string[]
}

export interface Client {
  readonly name: string
  /** Takes ClientArguments, then `flags`. */
  readonly command: readonly string[]
  readonly flags?: readonly string[]
}

export interface Input {
  readonly brokers: readonly string[]
  readonly topic: string
  readonly count: number
  /** Of `count`, how many belong into the dead topic. */
  readonly dead: number
}

const TIMEOUT_MS = 300_000

/** A program of this directory, run by bun. */
export function bunProgram(file: string): readonly string[] {
  return [process.execPath, join(import.meta.dir, file)]
}

/**
 * Runs one client over the whole input topic, in a group and with output topics of its own, and
 * checks what a read_committed reader finds in them.
 * @throws Error when it fails, or loses, doubles or misroutes a record
 */
export async function runClient(kafka: Kafka, client: Client, input: Input): Promise<CheckedRun> {
  const id = crypto.randomUUID()
  const [output, dead] = [`bench.out.${id}`, `bench.dead.${id}`]
  const given = { ...input, groupId: `bench-${id}`, input: input.topic, output, dead }
  await ensureTopics(kafka, [{ topic: output }, { topic: dead }])
  try {
    const run = await timeClient(client, given)
    const expected = { output: input.count - input.dead, dead: input.dead }
    return { ...run, ...(await checkOutputs(kafka, { name: client.name, output, dead, expected })) }
  } finally {
    await withAdmin(kafka, (admin) => admin.deleteTopics({ topics: [output, dead] }))
  }
}

async function timeClient(client: Client, given: ClientArguments): Promise<ClientRun> {
  const { command, flags = [], name } = client
  const startedMs = performance.now()
  const child = Bun.spawn([...command, ...writeArguments(given), ...flags], {
    stdio: ["ignore", "ignore", "inherit"],
    timeout: TIMEOUT_MS,
    killSignal: "SIGKILL",
  })
  const peak = watchPeak(child.pid)
  const code = await child.exited
  peak.stop()
  const seconds = (performance.now() - startedMs) / 1_000
  if (code !== 0) throw new Error(`${name} ended with ${code}`)
  const usage = child.resourceUsage()
  return {
    cpuMicrosecondsEach: Number(usage?.cpuTime.total ?? Number.NaN) / given.count,
    eventsPerSecond: given.count / seconds,
    peakMiB: peak.kibibytes / 1_024,
  }
}

interface Check {
  readonly name: string
  readonly output: string
  readonly dead: string
  readonly expected: { readonly output: number; readonly dead: number }
}

async function checkOutputs(kafka: Kafka, { name, output, dead, expected }: Check) {
  const routed = await readOutputs(kafka, output)
  const letters = await readOutputs(kafka, dead)
  const distinct = new Set(routed.map((value) => (JSON.parse(value) as Identified).event_id)).size
  const found = { output: routed.length, dead: letters.length }
  if (
    found.output === expected.output &&
    found.dead === expected.dead &&
    distinct === found.output
  ) {
    return { arrived: found.output, letters }
  }
  throw new Error(`${name} wrote ${JSON.stringify({ ...found, distinct })}`)
}

interface Identified {
  readonly event_id: string
}
