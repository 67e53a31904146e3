import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type SimulationSource, simulationSource } from "../../src/connectors/simulation-source.ts"
import type { SimulationQueue } from "../../src/ports/simulation-queue.ts"
import { openSimulationQueue } from "../../src/store/simulation-queue.ts"
import type { SourceListener, SourceRecord } from "../../src/stream/types.ts"
import { FakeClock } from "../support/fake-clock.ts"
import { simulationTask } from "../support/simulation-task.ts"

let directory: string
let queue: SimulationQueue
let source: SimulationSource
let isOpen: boolean
let clock: FakeClock
const records: SourceRecord[] = []
let onRecord = () => {}

const listener: SourceListener = {
  assigned: () => undefined,
  revoked: async () => undefined,
  record: (record) => {
    records.push(record)
    onRecord()
    return true
  },
  ended: () => undefined,
  failed: (error) => {
    throw error
  },
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "simulation-source-"))
  clock = new FakeClock()
  queue = openSimulationQueue(directory, { clock, deliveriesMax: 1 })
  isOpen = true
  records.length = 0
  source = simulationSource({
    ...{ name: "simulations", queue, clock, tasksMax: 2, leaseMs: 60_000 },
    isOpen: () => isOpen,
  })
})

afterEach(async () => {
  await source.close()
  await queue.close()
  await rm(directory, { recursive: true, force: true })
})

/** Turns the clock until so many records have come, and not once more: leases end by the same clock. */
function received(count: number): Promise<void> {
  const come = new Promise<void>((resolve) => {
    onRecord = () => {
      if (records.length >= count) resolve()
    }
    onRecord()
  })
  return clock.settle(come, Number.POSITIVE_INFINITY)
}

const taken = () => records.map(({ value }) => JSON.parse(new TextDecoder().decode(value)).eventId)

describe("simulationSource", () => {
  test("simulationSource takes few tasks at once, and more as they are acknowledged", async () => {
    for (const [id, priority] of Object.entries({ a: 7, b: 6, c: 5 })) {
      await queue.enqueue(simulationTask(id, priority))
    }
    await source.start(listener)
    await received(2)
    expect(taken()).toEqual(["a", "b"])
    expect(await queue.depth()).toEqual({ ready: 1, leased: 2, dropped: 0 })
    // the second is done before the first
    await source.acknowledge(records[1] as SourceRecord)
    await received(3)
    expect(taken()).toEqual(["a", "b", "c"])
    expect(await queue.depth()).toEqual({ ready: 0, leased: 2, dropped: 0 })
  })

  test("simulationSource takes nothing while there is no sandbox", async () => {
    isOpen = false
    await queue.enqueue(simulationTask("a"))
    await source.start(listener)
    await clock.settle(clock.sleep(5_000))
    expect(await queue.depth()).toEqual({ ready: 1, leased: 0, dropped: 0 })
    isOpen = true
    await received(1)
  })

  test("simulationSource gives a task back uncounted, and pauses longer each time", async () => {
    await queue.enqueue(simulationTask("a"))
    await source.start(listener)
    const takenAtMs: number[] = []
    for (let round = 1; round <= 4; round += 1) {
      await received(round)
      takenAtMs.push(clock.nowMs())
      await source.giveBack(records[round - 1] as SourceRecord)
    }
    const pauses = takenAtMs.slice(1).map((atMs, index) => atMs - (takenAtMs[index] ?? 0))
    expect(pauses[0]).toBeGreaterThanOrEqual(1_000)
    expect(pauses[2]).toBeGreaterThanOrEqual(4_000)
    expect(await queue.depth()).toMatchObject({ ready: 1, dropped: 0 })
  })

  test("simulationSource gives back at its end what is not acknowledged", async () => {
    await queue.enqueue(simulationTask("a"))
    await queue.enqueue(simulationTask("b"))
    await source.start(listener)
    await received(2)
    await source.acknowledge(records[0] as SourceRecord)
    await source.close()
    expect(await queue.depth()).toEqual({ ready: 1, leased: 0, dropped: 0 })
  })
})
