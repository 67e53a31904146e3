import { expect, test } from "bun:test"
import { ComparisonQueue } from "../../../src/ml/serving/comparison-queue.ts"

/** A queue on virtual time, in which one comparison takes `costMs`. */
function start(costMs: number) {
  const clock = { nowMs: 0, busyMs: 0 }
  const compared: string[] = []
  let next: { readonly action: () => void; readonly delayMs: number } | undefined
  const queue = new ComparisonQueue<string>({
    charsOf: (text) => text.length,
    nowMs: () => clock.nowMs,
    schedule: (action, delayMs) => {
      next = { action, delayMs }
    },
    compare(text) {
      compared.push(text)
      clock.nowMs += costMs
      clock.busyMs += costMs
    },
  })
  /** Lets the next turn come. @returns whether there was one */
  const turn = () => {
    const due = next
    next = undefined
    if (due === undefined) return false
    clock.nowMs += due.delayMs
    due.action()
    return true
  }
  return { queue, compared, turn, clock }
}

test("ComparisonQueue compares everything in order, later, and then rests", () => {
  const { queue, compared, turn } = start(0.01)
  for (const text of ["a", "b", "c"]) queue.offer(text)
  expect(compared).toEqual([])
  expect(turn()).toBe(true)
  expect([compared, turn()]).toEqual([["a", "b", "c"], false])
  queue.offer("d")
  turn()
  expect(compared).toEqual(["a", "b", "c", "d"])
})

test("ComparisonQueue takes no more than a fifth of a core, however slow a comparison is", () => {
  for (const costMs of [0.01, 0.5, 20, 300]) {
    const { queue, turn, clock } = start(costMs)
    for (let at = 0; at < 1_000; at++) queue.offer(`${at}`)
    while (turn());
    // the last turn has no pause after it
    const pausedMs = clock.nowMs - clock.busyMs
    expect(clock.busyMs - Math.max(1, costMs)).toBeLessThanOrEqual(pausedMs / 4 + 1)
  }
})

test("ComparisonQueue skips what exceeds its number or its characters, and takes more afterwards", () => {
  const { queue, compared, turn } = start(0)
  for (let at = 0; at < 1_030; at++) queue.offer("x")
  expect(queue.skipped).toBe(6)
  turn()
  expect(compared).toHaveLength(1_024)
  const large = "x".repeat(1_500_000)
  queue.offer(large)
  queue.offer(large)
  expect(queue.skipped).toBe(7)
  turn()
  queue.offer(large)
  expect(queue.skipped).toBe(7)
})
