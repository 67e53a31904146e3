import { describe, expect, test } from "bun:test"
import { LagWatchdog, type Progress } from "../../src/connectors/kafka-watchdog.ts"
import { FakeClock } from "../support/fake-clock.ts"

/*
 * Goal: a standstill is told from an idle, a paused and an unreachable consumer.
 * Method: checks every 5 s of virtual time, a stall being 20 s without progress.
 */

function rig() {
  const clock = new FakeClock()
  const state = { position: 5n, paused: false, end: 10n as bigint | undefined, joined: true }
  const stalled: string[][] = []
  const progress = (): readonly Progress[] =>
    state.joined
      ? [{ name: "t/0", position: state.position, paused: state.paused }]
      : [{ name: "group", position: -1n, paused: false }]
  const watchdog = new LagWatchdog({
    ...{ clock, stalledAfterMs: 20_000, checkEveryMs: 5_000, progress },
    ends: async () => {
      if (state.end === undefined) throw new Error("no broker")
      return new Map([["t/0", state.end]])
    },
    onStalled: async (names) => void stalled.push([...names]),
  })
  const run = async (checks: number, each: () => void = () => undefined) => {
    for (let check = 0; check < checks; check += 1) {
      await watchdog.check()
      each()
      await clock.settle(clock.sleep(5_000))
    }
  }
  return { state, stalled, run, clock, watchdog }
}

describe("LagWatchdog", () => {
  test("LagWatchdog reports a partition that stands still behind its end, once per stall", async () => {
    const { stalled, run } = rig()
    await run(4)
    expect(stalled).toEqual([])
    await run(1)
    expect(stalled).toEqual([["t/0"]])
    await run(4)
    expect(stalled).toHaveLength(1)
    await run(1)
    expect(stalled).toHaveLength(2)
  })

  test("LagWatchdog lets a partition that moves, is paused, or is at its end be", async () => {
    const { stalled, run, state } = rig()
    await run(10, () => {
      state.position += 1n
      state.end = state.position + 5n
    })
    state.paused = true
    await run(10)
    state.paused = false
    state.position = state.end ?? 0n
    await run(10)
    expect(stalled).toEqual([])
  })

  test("LagWatchdog reports a consumer that stays outside its group", async () => {
    const { stalled, run, state } = rig()
    state.joined = false
    await run(5)
    expect(stalled).toEqual([["group"]])
  })

  test("LagWatchdog waits for a broker that does not answer", async () => {
    const { stalled, run, state } = rig()
    await run(3)
    state.end = undefined
    await run(10)
    state.end = 10n
    await run(4)
    expect(stalled).toEqual([])
  })

  test("LagWatchdog stops watching when its signal fires", async () => {
    const { clock, watchdog, stalled } = rig()
    const stop = new AbortController()
    const watching = watchdog.watch(stop.signal)
    await clock.settle(clock.sleep(26_000))
    expect(stalled).toEqual([["t/0"]])
    stop.abort()
    await clock.settle(watching)
  })
})
