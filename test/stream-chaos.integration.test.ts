import { describe, expect, setDefaultTimeout, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { runChaos } from "./support/chaos/chaos-run.ts"
import { judgeHistory, type Sighting } from "./support/chaos/history.ts"
import { requireRestartableKafka } from "./support/services.ts"

/*
 * Goal: from topic to topic, every event comes out exactly once, whatever happens to the processes,
 * the group and the broker.
 * Method: numbered events through real processes and a real broker, with faults at seeded instants;
 * a judge that knows only what was produced and what read_committed readers were given.
 */

const broker = await requireRestartableKafka()
setDefaultTimeout(300_000)

const EVENTS = 200_000
const KILLS = 10

describe.skipIf(broker === undefined)("two processes of one group", () => {
  test("kafkaSource and Engine carry every event exactly once through kills, rebalances and a broker restart", async () => {
    const directory = mkdtempSync(join(tmpdir(), "sentinel-chaos-"))
    const report = await runChaos(broker ?? { brokers: [], restart: async () => undefined }, {
      ...{ seed: 20_261_124, events: EVENTS, poisonShare: 0.01, kills: KILLS, brokerRestarts: 1 },
      ...{ durationMs: 90_000, logFile: join(directory, "processors.log") },
    })
    process.stderr.write(`${JSON.stringify(report)}\n`)
    expect(report).toMatchObject({
      ...{ lostWrites: 0, duplicates: 0, unexpected: 0 },
      ...{ unseen: 0, abortedReads: 0, nonMonotonicPolls: 0 },
      ...{ lag: 0, kills: KILLS, joins: 1, leaves: 1, brokerRestarts: 1 },
    })
    expect(report.out + report.dead).toBe(EVENTS)
    expect(report.dead).toBeGreaterThan(EVENTS / 200)
    rmSync(directory, { recursive: true, force: true })
  })
})

describe.skipIf(broker === undefined)("the same two processes without transactions", () => {
  test("runChaos finds duplicates, and nothing lost, where the source is not transactional", async () => {
    const report = await runChaos(broker ?? { brokers: [], restart: async () => undefined }, {
      ...{ seed: 3, events: 30_000, poisonShare: 0.01, kills: 3, brokerRestarts: 0 },
      ...{ durationMs: 24_000, logFile: "/dev/null", guarantee: "at-least-once" },
    })
    expect(report).toMatchObject({ lostWrites: 0, unexpected: 0, unseen: 0, lag: 0 })
    expect(report.duplicates).toBeGreaterThan(0)
  })
})

describe("judgeHistory", () => {
  const expected = new Map([1, 2, 3].map((id) => [id, "out"]))
  const seen = (id: number, offset: number, rest: Partial<Sighting> = {}): Sighting => ({
    ...{ topic: "out", partition: 0, offset: BigInt(offset), key: "k", id, attempt: `${id}` },
    assignment: 1,
    ...rest,
  })
  const good = [seen(1, 0), seen(2, 1), seen(3, 3)]
  const none = {
    ...{ lostWrites: 0, duplicates: 0, unexpected: 0 },
    ...{ unseen: 0, abortedReads: 0, nonMonotonicPolls: 0 },
  }

  test("judgeHistory finds nothing in a log that is as it should be", () => {
    expect(judgeHistory(expected, good, good)).toEqual(none)
  })

  test("judgeHistory names each anomaly", () => {
    const [one = seen(1, 0), two = seen(2, 1), three = seen(3, 3)] = good
    const judge = (log: readonly Sighting[], live = log) => judgeHistory(expected, log, live)
    expect(judge([one, two]).lostWrites).toBe(1)
    expect(judge([...good, seen(3, 4, { key: "other", attempt: "again" })]).duplicates).toBe(1)
    expect(judge([one, two, seen(3, 0, { topic: "dead" })]).unexpected).toBe(1)
    expect(judge(good, [one, three]).unseen).toBe(1)
    expect(judge(good, [one, two, seen(3, 3, { attempt: "aborted" })]).abortedReads).toBe(1)
    expect(judge(good, [one, three, two]).nonMonotonicPolls).toBe(1)
    const anew = good.map((sighting) => ({ ...sighting, assignment: 2 }))
    expect(judge(good, [one, two, ...anew])).toEqual(none)
  })
})
