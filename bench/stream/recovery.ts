import type { Kafka } from "../../src/connectors/kafka-client.ts"
import { type Row, row } from "../harness.ts"
import { writeArguments } from "./arguments.ts"
import { loadRecords } from "./load.ts"
import { bunProgram } from "./run-client.ts"

const LAG = 100_000
const SECONDS_MAX = 3

/** What engine-client prints when its first record is finished; epoch milliseconds. */
interface FirstRecord {
  readonly startedMs: number
  readonly assignedMs: number
  readonly firstMs: number
}

/**
 * Kills the engine (SIGKILL) at its first record, 100,000 behind, and starts it again in the same
 * group. The time to the first record without that to join the group, which is mostly the broker's
 * wait for the dead member, and has a row of its own.
 */
export async function recoveryRows(
  kafka: Kafka,
  brokers: readonly string[],
): Promise<readonly Row[]> {
  const id = crypto.randomUUID()
  const [input, output, dead] = ["in", "out", "dead"].map((name) => `bench.recovery.${name}.${id}`)
  if (input === undefined || output === undefined || dead === undefined) return []
  await loadRecords(kafka, { topic: input, count: LAG })
  const given = { brokers, count: Number.MAX_SAFE_INTEGER, groupId: id, input, output, dead }
  const command = [...bunProgram("engine-client.ts"), ...writeArguments(given)]
  await untilFirstRecord(command)
  const spawnedMs = Date.now()
  const { startedMs, assignedMs, firstMs } = await untilFirstRecord(command)
  const seconds = (startedMs - spawnedMs + (firstMs - assignedMs)) / 1_000
  const joining = (assignedMs - startedMs) / 1_000
  return [
    row({
      name: "recovery, spawn to first record without the group's rejoin",
      ...{ value: seconds, unit: "s", goal: { of: "value", below: SECONDS_MAX } },
    }),
    row({ name: "recovery, the group's rejoin", value: joining, unit: "s" }),
  ]
}

async function untilFirstRecord(command: readonly string[]): Promise<FirstRecord> {
  const child = Bun.spawn([...command], { stdio: ["ignore", "pipe", "inherit"], timeout: 120_000 })
  for await (const chunk of child.stdout) {
    child.kill("SIGKILL")
    await child.exited
    return JSON.parse(new TextDecoder().decode(chunk)) as FirstRecord
  }
  throw new Error("the engine ended before its first record")
}
