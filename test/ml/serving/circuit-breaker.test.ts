import { expect, test } from "bun:test"
import fc from "fast-check"
import { CircuitBreaker, SLOW_CALL_MS } from "../../../src/ml/serving/circuit-breaker.ts"

function start() {
  let nowMs = 0
  const breaker = new CircuitBreaker(() => nowMs)
  const call = (isWell: boolean) => (isWell ? breaker.succeeded(0.01) : breaker.failed())
  const wait = (ms: number) => {
    nowMs += ms
  }
  return { breaker, call, wait }
}

test("CircuitBreaker stays closed while fewer than ten calls were made", () => {
  const { breaker, call } = start()
  for (let at = 0; at < 9; at++) call(false)
  expect([breaker.state, breaker.lets, breaker.errorRate]).toEqual(["closed", true, 1])
  call(false)
  expect([breaker.state, breaker.lets]).toEqual(["open", false])
})

test("CircuitBreaker is half open after five seconds, and one failure opens it again", () => {
  const { breaker, call, wait } = start()
  for (let at = 0; at < 10; at++) call(false)
  wait(4_999)
  expect(breaker.state).toBe("open")
  wait(1)
  expect([breaker.state, breaker.lets]).toEqual(["half-open", true])
  call(true)
  call(false)
  expect(breaker.state).toBe("open")
  wait(5_000)
  expect(breaker.state).toBe("half-open")
})

test("CircuitBreaker closes after three good trials and forgets the failures", () => {
  const { breaker, call, wait } = start()
  for (let at = 0; at < 10; at++) call(false)
  wait(5_000)
  call(true)
  call(true)
  expect(breaker.state).toBe("half-open")
  call(true)
  expect([breaker.state, breaker.errorRate]).toEqual(["closed", 0])
})

test("CircuitBreaker takes a slow call for a failed one", () => {
  const { breaker } = start()
  for (let at = 0; at < 10; at++) breaker.succeeded(SLOW_CALL_MS - 1)
  expect(breaker.errorRate).toBe(0)
  for (let at = 0; at < 10; at++) breaker.succeeded(SLOW_CALL_MS)
  expect(breaker.state).toBe("open")
})

test("CircuitBreaker errorRate is the share of failures among the last fifty calls", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 300 }), (draws) => {
      const { breaker, call } = start()
      // One failure in ten never opens it, so that nothing but the window is judged.
      const outcomes = draws.map((draw, at) => draw > 0 || at % 10 !== 0)
      for (const isWell of outcomes) call(isWell)
      const recent = outcomes.slice(-50)
      const failures = recent.filter((isWell) => !isWell).length
      expect(breaker.errorRate).toBe(recent.length === 0 ? 0 : failures / recent.length)
      expect(breaker.state).toBe("closed")
    }),
  )
})
