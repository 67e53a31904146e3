import { describe, expect, test } from "bun:test"
import { EngineMeter } from "../../src/compose/engine-meter.ts"
import type { PartitionStats } from "../../src/stream/engine.ts"
import type { OperatorStats } from "../../src/stream/execute.ts"

let nowMs = 0

function measured(operators: Partial<OperatorStats>[], partitions: Partial<PartitionStats>[] = []) {
  const operator = { operator: "score", concurrency: 4, inside: 0, waiting: 0, waitedMs: 0 }
  const partition: PartitionStats = {
    ...{ id: { topic: "t", partition: 0 }, inFlight: 0, buffered: 0, held: false, heldMs: 0 },
    ...{ unfinished: 0, oldestMs: undefined, committed: undefined },
  }
  return {
    operatorStats: () => operators.map((one) => ({ ...operator, ...one })),
    stats: () => partitions.map((one) => ({ ...partition, ...one })),
  }
}

describe("EngineMeter", () => {
  test("EngineMeter turns totals into rates, utilisation and backpressure of the window", () => {
    nowMs = 0
    const meter = new EngineMeter(() => nowMs)
    for (let i = 0; i < 20; i += 1) meter.count("score", i === 0 ? "failed" : "ok", 1)
    nowMs = 10_000
    const { operators, windowSeconds, heldRatios } = meter.read(
      measured([{ waitedMs: 2_500 }], [{ heldMs: 5_000 }]),
    )
    expect(windowSeconds).toBe(10)
    expect(operators).toMatchObject([
      { recordsPerSecond: 2, failedPerSecond: 0.1, busy: 2, utilisation: 0.5, backpressure: 0.25 },
    ])
    expect([...heldRatios]).toEqual([["t/0", 0.5]])
  })

  test("EngineMeter forgets what was before the window, and no reader shortens it for another", () => {
    nowMs = 0
    const meter = new EngineMeter(() => nowMs)
    meter.count("score", "ok", 1)
    nowMs = 10_000
    meter.read(measured([{}]))
    nowMs = 20_000
    meter.read(measured([{}]))
    meter.count("score", "ok", 1)
    nowMs = 20_001
    const soon = meter.read(measured([{}]))
    expect([soon.windowSeconds, soon.operators[0]?.recordsPerSecond]).toEqual([10.001, 1 / 10.001])
    nowMs = 30_000
    meter.read(measured([{}]))
    nowMs = 40_000
    expect(meter.read(measured([{}])).operators[0]?.recordsPerSecond).toBe(0)
  })

  test("EngineMeter begins anew for a partition that was assigned anew", () => {
    nowMs = 0
    const meter = new EngineMeter(() => nowMs)
    nowMs = 10_000
    meter.read(measured([], [{ heldMs: 9_000 }]))
    nowMs = 20_000
    expect([...meter.read(measured([], [{ heldMs: 1_000 }])).heldRatios.values()]).toEqual([0])
  })
})
