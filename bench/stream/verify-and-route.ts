import type { Kafka } from "../../src/connectors/kafka-client.ts"
import { type Row, row, type SuiteOptions } from "../harness.ts"
import { installPeers } from "./install-peers.ts"
import { loadRecords } from "./load.ts"
import { bunProgram, type Client, type ClientRun, type Input, runClient } from "./run-client.ts"
import { WORK } from "./work.ts"

const COUNT = { quick: 200_000, full: 800_000 }
const ROUNDS = { quick: 1, full: 3 }
const ENGINE: Client = { name: "at least once", command: bunProgram("engine-client.ts") }
const EXACTLY_ONCE: Client = { ...ENGINE, name: "exactly once", flags: ["exactly-once"] }
const BARE: Client = { name: "bare kafkajs loop", command: bunProgram("kafkajs-client.ts") }

/** The engine, the bare loop of its client, and peers, one after the other in each round. */
export async function verifyAndRouteRows(
  kafka: Kafka,
  brokers: readonly string[],
  { quick, env, progress }: SuiteOptions,
): Promise<readonly Row[]> {
  const [count, rounds] = quick ? [COUNT.quick, ROUNDS.quick] : [COUNT.full, ROUNDS.full]
  const dead = Math.round(count * WORK.wrong)
  const input: Input = { brokers, topic: `bench.in.${crypto.randomUUID()}`, count, dead }
  progress(`${count} records into Kafka`)
  await loadRecords(kafka, input)
  progress("peers: installing what is missing")
  const peers = await installPeers(env)
  for (const peer of peers) if ("reason" in peer) progress(`no ${peer.name}: ${peer.reason}`)
  const clients = [BARE, ENGINE, EXACTLY_ONCE, ...peers.filter((peer) => "command" in peer)]
  const runs = new Map<string, ClientRun[]>(clients.map(({ name }) => [name, []]))
  for (let round = 1; round <= rounds; round += 1) {
    for (const client of clients) {
      progress(`round ${round} of ${rounds}: ${client.name}`)
      runs.get(client.name)?.push(await runClient(kafka, client, input))
    }
  }
  await deleteTopic(kafka, input.topic)
  return rowsOf(new Map([...runs].map(([name, each]) => [name, medianRun(each)])))
}

function rowsOf(runs: ReadonlyMap<string, ClientRun>): readonly Row[] {
  const cpu = (name: string) => runs.get(name)?.cpuMicrosecondsEach ?? Number.NaN
  const unit = "CPU us/event"
  const [bare, atLeastOnce, exactlyOnce] = [BARE, ENGINE, EXACTLY_ONCE].map(({ name }) => cpu(name))
  const goals = { close: 1.15, transactional: 1.3 }
  return [
    row({
      name: "verify_and_route, against the bare loop",
      ...{ value: atLeastOnce ?? Number.NaN, unit, baseline: bare ?? Number.NaN },
      goal: { of: "ratio", below: goals.close },
    }),
    row({
      name: "verify_and_route_eos, against at least once",
      ...{ value: exactlyOnce ?? Number.NaN, unit, baseline: atLeastOnce ?? Number.NaN },
      goal: { of: "ratio", below: goals.transactional },
    }),
    ...[...runs].flatMap(([name, { cpuMicrosecondsEach, eventsPerSecond, peakMiB }]) => [
      row({ name: `${name}: cpu`, value: cpuMicrosecondsEach, unit }),
      row({
        name: `${name}: rate, start and stop included`,
        value: eventsPerSecond,
        unit: "events/s",
      }),
      row({ name: `${name}: peak memory`, value: peakMiB, unit: "MiB" }),
    ]),
  ]
}

/** By CPU time: the middle of the rounds. */
function medianRun(runs: readonly ClientRun[]): ClientRun {
  const sorted = runs.toSorted((one, other) => one.cpuMicrosecondsEach - other.cpuMicrosecondsEach)
  const middle = sorted[Math.floor((sorted.length - 1) / 2)]
  if (middle === undefined) throw new Error("no rounds")
  return middle
}

async function deleteTopic(kafka: Kafka, topic: string): Promise<void> {
  const admin = kafka.admin()
  await admin.connect()
  await admin.deleteTopics({ topics: [topic] })
  await admin.disconnect()
}
