import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { SimulationQueue } from "../../src/ports/simulation-queue.ts"
import {
  openSimulationQueue,
  type SimulationQueueOptions,
} from "../../src/store/simulation-queue.ts"
import { expectSimulationQueueContract } from "../support/simulation-queue-contract.ts"
import { simulationTask } from "../support/simulation-task.ts"

let directory: string
let nowMs: number
const queues: SimulationQueue[] = []

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "simulations-"))
  nowMs = 1_000
})

afterEach(async () => {
  for (const queue of queues.splice(0)) await queue.close()
  await rm(directory, { recursive: true, force: true })
})

function open(options: SimulationQueueOptions = {}) {
  const queue = openSimulationQueue(directory, { clock: { nowMs: () => nowMs++ }, ...options })
  queues.push(queue)
  return queue
}

describe("openSimulationQueue", () => {
  expectSimulationQueueContract("openSimulationQueue", async () => ({
    open,
    pass(ms) {
      nowMs += ms
    },
    close: () => Promise.resolve(),
  }))

  test("openSimulationQueue drops what would be taken last when it is full", async () => {
    const queue = open({ tasksMax: 3 })
    for (const [index, priority] of [5, 1, 9, 4, 1].entries()) {
      await queue.enqueue(simulationTask(`${index}`, priority))
    }
    expect(await queue.depth()).toEqual({ ready: 3, leased: 0, dropped: 2 })
    const leases = await queue.take({ max: 10, leaseMs: 1_000 })
    expect(leases.map(({ task }) => task.priority)).toEqual([9, 5, 4])
  })

  test("openSimulationQueue forgets tasks after the retention time", async () => {
    const first = open()
    await first.enqueue(simulationTask("a"))
    await first.close()
    nowMs += 8 * 86_400_000
    const later = open()
    await later.close()
    expect(await open().enqueue(simulationTask("a"))).toBe("new")
  })

  test("openSimulationQueue loses nothing acknowledged to kill -9, and no lease outlives it", async () => {
    const child = Bun.spawn(
      [process.execPath, join(import.meta.dir, "simulation-child.ts"), directory],
      { stdio: ["ignore", "pipe", "inherit"] },
    )
    const acknowledged: string[] = []
    const decoder = new TextDecoder()
    let text = ""
    for await (const chunk of child.stdout) {
      text += decoder.decode(chunk)
      if (text.split("\n").length > 40) break
    }
    child.kill("SIGKILL")
    await child.exited
    acknowledged.push(...text.split("\n").slice(0, -1))
    const queue = open()
    const known = await Promise.all(acknowledged.map((id) => queue.enqueue(simulationTask(id))))
    expect(new Set(known)).toEqual(new Set(["same"]))
    expect((await queue.depth()).leased).toBe(0)
    expect(await queue.take({ max: 1, leaseMs: 1 })).toMatchObject([{ deliveries: 2 }])
  })
})
