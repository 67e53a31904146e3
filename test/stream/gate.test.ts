import { expect, test } from "bun:test"
import { Gate } from "../../src/stream/gate.ts"

const never = new AbortController().signal

test("Gate measures how long somebody waits, and nothing while nobody does", async () => {
  const gate = new Gate(1)
  await gate.enter(never)
  expect(gate.waitedMs).toBe(0)
  const second = gate.enter(never)
  const giveUp = new AbortController()
  const third = gate.enter(giveUp.signal)
  const startedMs = performance.now()
  while (performance.now() - startedMs < 3);
  const waitedMs = gate.waitedMs
  expect(waitedMs).toBeGreaterThanOrEqual(3)
  gate.leave()
  await second
  giveUp.abort(new Error("over"))
  await expect(third).rejects.toThrow("over")
  const afterwardsMs = gate.waitedMs
  expect(afterwardsMs).toBeGreaterThanOrEqual(waitedMs)
  // two who wait at once are one wait, and none goes on now
  expect(afterwardsMs).toBeLessThanOrEqual(performance.now() - startedMs + 1)
  const laterMs = performance.now()
  while (performance.now() - laterMs < 2);
  expect(gate.waitedMs).toBe(afterwardsMs)
})
