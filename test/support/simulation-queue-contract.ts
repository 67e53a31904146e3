import { afterEach, expect, test } from "bun:test"
import type { SimulationLease, SimulationQueue } from "../../src/ports/simulation-queue.ts"
import { simulationTask } from "./simulation-task.ts"
import { until } from "./until.ts"

/** One queue of a test: what is behind it outlives the queue itself. */
export interface QueueUnderTest {
  /** Opens it; again after `close`. */
  open(options?: { deliveriesMax?: number }): SimulationQueue
  /** Lets `ms` go by on the queue's clock. */
  pass(ms: number): void
  close(): Promise<void>
}

/** Polls, for a consumer needs a while to join its group. */
function takeSome(queue: SimulationQueue, max = 100): Promise<readonly SimulationLease[]> {
  return until(async () => {
    const leases = await queue.take({ max, leaseMs: 60_000 })
    return leases.length > 0 && leases
  })
}

const eventIds = (leases: readonly SimulationLease[]) => leases.map(({ task }) => task.eventId)

/** What every implementation promises. */
export function expectSimulationQueueContract(
  name: string,
  create: () => Promise<QueueUnderTest>,
): void {
  let under: QueueUnderTest
  const begin = async () => {
    under = await create()
    return under
  }
  afterEach(() => under.close())

  test(`${name} hands tasks out by priority, then by arrival, whole`, async () => {
    const queue = (await begin()).open()
    for (const [id, priority] of [
      ["a", 1],
      ["b", 9],
      ["c", 1],
      ["d", 5],
    ] as const) {
      await queue.enqueue(simulationTask(id, priority))
    }
    const [first] = await takeSome(queue, 1)
    expect(first).toMatchObject({ task: simulationTask("b", 9), deliveries: 1 })
    expect(eventIds(await takeSome(queue))).toEqual(["d", "a", "c"])
    expect(await queue.take({ max: 10, leaseMs: 1 })).toEqual([])
  })

  test(`${name} queues one event once, before and after it is done`, async () => {
    const queue = (await begin()).open()
    await queue.enqueue(simulationTask("a"))
    await queue.enqueue(simulationTask("a"))
    await queue.enqueue(simulationTask("marker", 0))
    const leases = await takeSome(queue)
    expect(eventIds(leases)).toEqual(["a", "marker"])
    for (const { id } of leases) expect(await queue.ack(id)).toBe(true)
    await queue.enqueue(simulationTask("a"))
    await queue.enqueue(simulationTask("b"))
    expect(eventIds(await takeSome(queue))).toEqual(["b"])
  })

  test(`${name} gives a task back when its lease is over, and drops it at the bound`, async () => {
    const queue = (await begin()).open({ deliveriesMax: 2 })
    await queue.enqueue(simulationTask("a"))
    const [first] = await takeSome(queue)
    under.pass(60_001)
    expect(await takeSome(queue)).toMatchObject([{ deliveries: 2 }])
    expect(await queue.ack(first?.id ?? "")).toBe(false)
    expect(await queue.release(first?.id ?? "")).toBe(false)
    under.pass(60_001)
    await queue.enqueue(simulationTask("b"))
    expect(eventIds(await takeSome(queue))).toEqual(["b"])
    expect((await queue.depth()).dropped).toBe(1)
  })

  test(`${name} counts no delivery that was released`, async () => {
    const queue = (await begin()).open({ deliveriesMax: 2 })
    await queue.enqueue(simulationTask("a"))
    const ids = new Set<string>()
    for (let round = 0; round < 4; round += 1) {
      const [lease] = await takeSome(queue)
      ids.add(lease?.id ?? "")
      expect(await queue.release(lease?.id ?? "")).toBe(true)
      expect(await queue.release(lease?.id ?? "")).toBe(false)
    }
    // a lease that is over must not end a later one
    expect(ids.size).toBe(4)
    expect(await queue.depth()).toMatchObject({ ready: 1, dropped: 0 })
  })

  test(`${name} keeps what was not acknowledged for its next life, and nothing else`, async () => {
    const queue = (await begin()).open()
    for (const id of ["a", "b", "c"]) await queue.enqueue(simulationTask(id))
    const leases = await takeSome(queue)
    expect(leases).toHaveLength(3)
    await queue.ack(leases[0]?.id ?? "")
    expect(await queue.depth()).toEqual({ ready: 0, leased: 2, dropped: 0 })
    await queue.close()
    const next = under.open()
    expect(eventIds(await takeSome(next)).toSorted()).toEqual(["b", "c"])
  })
}
