import type { PartitionStats } from "../stream/engine.ts"
import type { OperatorStats } from "../stream/execute.ts"
import { partitionKey } from "../stream/types.ts"
import type { OperatorLoad } from "../telemetry.ts"

/** What was counted up to some moment. */
interface Reading {
  readonly atMs: number
  readonly done: ReadonlyMap<string, Done>
  readonly operators: readonly OperatorStats[]
  readonly partitions: readonly PartitionStats[]
}

interface Done {
  readonly records: number
  readonly failed: number
  readonly busySeconds: number
}

export interface OperatorRate extends OperatorLoad {
  readonly recordsPerSecond: number
  readonly failedPerSecond: number
  readonly inside: number
  readonly waiting: number
}

export interface MeterReading {
  /** What the rates are over; seconds. */
  readonly windowSeconds: number
  readonly operators: readonly OperatorRate[]
  /** Share (0..1) of the window in which the partition (`topic/partition`) was held. */
  readonly heldRatios: ReadonlyMap<string, number>
}

interface Measured {
  stats(): readonly PartitionStats[]
  operatorStats(): readonly OperatorStats[]
}

/** A window is at least this long, however many readers there are. */
const WINDOW_MIN_MS = 5_000
const NONE: Done = { records: 0, failed: 0, busySeconds: 0 }

/**
 * Turns the engine's running totals into rates. `count` is called for each operator call; a reading
 * covers the time since the last one that is at least five seconds old.
 */
export class EngineMeter {
  readonly #nowMs: () => number
  readonly #done = new Map<string, { -readonly [Name in keyof Done]: number }>()
  #base: Reading | undefined
  #next: Reading

  /** @param nowMs monotonic milliseconds */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs
    this.#next = { atMs: nowMs(), done: new Map(), operators: [], partitions: [] }
  }

  count(operator: string, outcome: "ok" | "failed", seconds: number): void {
    const done = this.#done.get(operator)
    if (done === undefined) {
      const failed = outcome === "failed" ? 1 : 0
      this.#done.set(operator, { records: 1, failed, busySeconds: seconds })
      return
    }
    done.records += 1
    if (outcome === "failed") done.failed += 1
    done.busySeconds += seconds
  }

  read(engine: Measured): MeterReading {
    const now = this.#reading(engine)
    if (now.atMs - this.#next.atMs >= WINDOW_MIN_MS) {
      this.#base = this.#next
      this.#next = now
    }
    const base = this.#base ?? this.#next
    const windowSeconds = Math.max(0.001, (now.atMs - base.atMs) / 1_000)
    return {
      windowSeconds,
      operators: now.operators.map((stats) => operatorRate(stats, { now, base, windowSeconds })),
      heldRatios: heldRatios(now, base, windowSeconds),
    }
  }

  #reading(engine: Measured): Reading {
    const done = new Map([...this.#done].map(([name, counts]) => [name, { ...counts }]))
    const [operators, partitions] = [engine.operatorStats(), engine.stats()]
    return { atMs: this.#nowMs(), done, operators, partitions }
  }
}

function operatorRate(
  stats: OperatorStats,
  window: { now: Reading; base: Reading; windowSeconds: number },
): OperatorRate {
  const { operator, concurrency, inside, waiting, waitedMs } = stats
  const { now, base, windowSeconds } = window
  const [after, before] = [now, base].map(({ done }) => done.get(operator) ?? NONE)
  const delta = (field: keyof Done) => (after?.[field] ?? 0) - (before?.[field] ?? 0)
  const waitedBefore = base.operators.find((one) => one.operator === operator)?.waitedMs ?? 0
  const busy = delta("busySeconds") / windowSeconds
  return {
    operator,
    busy,
    // a call that began before the window counts where it ends
    utilisation: share(busy / concurrency),
    backpressure: share((waitedMs - waitedBefore) / 1_000 / windowSeconds),
    recordsPerSecond: delta("records") / windowSeconds,
    failedPerSecond: delta("failed") / windowSeconds,
    inside,
    waiting,
  }
}

function heldRatios(now: Reading, base: Reading, windowSeconds: number) {
  const before = new Map(base.partitions.map(({ id, heldMs }) => [partitionKey(id), heldMs]))
  return new Map(
    now.partitions.map(({ id, heldMs }) => {
      const name = partitionKey(id)
      // one that was assigned anew has begun to count from zero
      const sinceMs = Math.min(before.get(name) ?? 0, heldMs)
      return [name, share((heldMs - sinceMs) / 1_000 / windowSeconds)]
    }),
  )
}

function share(value: number): number {
  return Math.min(1, Math.max(0, value))
}
