import { expect, test } from "bun:test"
import fc from "fast-check"
import { CircuitBreaker } from "../../src/api/circuit-breaker.ts"

function start() {
  let nowMs = 0
  const breaker = new CircuitBreaker(() => nowMs)
  const call = (ok: boolean) => (ok ? breaker.succeeded() : breaker.failed())
  const wait = (ms: number) => {
    nowMs += ms
  }
  return { breaker, call, wait }
}

test("CircuitBreaker stays closed while fewer than ten calls were made", () => {
  const { breaker, call } = start()
  for (let at = 0; at < 9; at++) call(false)
  expect([breaker.open, breaker.errorRate]).toEqual([false, 1])
  call(false)
  expect(breaker.open).toBe(true)
})

test("CircuitBreaker lets calls through after five seconds, and opens again if they fail", () => {
  const { breaker, call, wait } = start()
  for (let at = 0; at < 10; at++) call(false)
  wait(4_999)
  expect(breaker.open).toBe(true)
  wait(1)
  expect(breaker.open).toBe(false)
  call(false)
  expect(breaker.open).toBe(true)
})

test("CircuitBreaker forgets the failures once a trial succeeds", () => {
  const { breaker, call, wait } = start()
  for (let at = 0; at < 10; at++) call(false)
  wait(5_000)
  call(true)
  expect([breaker.open, breaker.errorRate]).toEqual([false, 0])
})

test("CircuitBreaker errorRate is the share of failures among the last fifty calls", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 300 }), (draws) => {
      const { breaker, call } = start()
      // One failure in ten never opens it, so that nothing but the window is judged.
      const outcomes = draws.map((draw, at) => draw > 0 || at % 10 !== 0)
      for (const ok of outcomes) call(ok)
      const recent = outcomes.slice(-50)
      const failures = recent.filter((ok) => !ok).length
      expect(breaker.errorRate).toBe(recent.length === 0 ? 0 : failures / recent.length)
      expect(breaker.open).toBe(false)
    }),
  )
})
