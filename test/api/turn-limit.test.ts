import { expect, test } from "bun:test"
import { TurnLimit } from "../../src/api/turn-limit.ts"

/** An event loop whose time passes only when a test says so. */
function loop() {
  let nowMs = 0
  let computedMs = 0
  let end: (() => void) | undefined
  const limit = new TurnLimit({
    nowMs: () => nowMs,
    computedMs: () => computedMs,
    afterTurn: (callback) => {
      end = callback
    },
  })
  /**
   * One turn with so many requests ready, each of which computes so long, while another process has
   * the core for `stolenMs`. @returns how many were let in
   */
  function turn(requests: number, eachMs: number, stolenMs = 0): number {
    let admitted = 0
    for (let request = 0; request < requests; request++) {
      if (!limit.admits()) continue
      admitted += 1
      nowMs += eachMs + stolenMs / requests
      computedMs += eachMs
    }
    end?.()
    end = undefined
    return admitted
  }
  return { turn }
}

test("TurnLimit admits all while turns are short", () => {
  const { turn } = loop()
  for (let count = 0; count < 1_000; count++) expect(turn(100, 0.015)).toBe(100)
})

test("TurnLimit lets a burst through, however long its turn", () => {
  const { turn } = loop()
  expect(turn(5_000, 0.015)).toBe(5_000)
  expect(turn(10, 0.015)).toBe(10)
  expect(turn(5_000, 0.015)).toBe(5_000)
})

test("TurnLimit admits what fits into a turn once turns have been long for 100 ms", () => {
  const { turn } = loop()
  for (let elapsedMs = 0; elapsedMs < 90; elapsedMs += 15) expect(turn(1_000, 0.015)).toBe(1_000)
  turn(1_000, 0.015)
  for (let count = 0; count < 20; count++) {
    expect(turn(1_000, 0.015)).toBeWithin(300, 400)
  }
})

test("TurnLimit admits all again after a turn that refused nothing and was short", () => {
  const { turn } = loop()
  for (let count = 0; count < 20; count++) turn(1_000, 0.015)
  expect(turn(1_000, 0.015)).toBeLessThan(1_000)
  expect(turn(10, 0.015)).toBe(10)
  expect(turn(1_000, 0.015)).toBe(1_000)
})

test("TurnLimit admits all while turns are long because another process has the core", () => {
  const { turn } = loop()
  for (let count = 0; count < 100; count++) expect(turn(100, 0.015, 20)).toBe(100)
})

test("TurnLimit, once there is too much, admits what the thread computes in a turn, whatever is stolen", () => {
  const { turn } = loop()
  for (let count = 0; count < 20; count++) turn(1_000, 0.015)
  expect(turn(1_000, 0.015, 20)).toBeWithin(300, 400)
})
