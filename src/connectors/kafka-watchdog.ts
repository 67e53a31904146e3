import type { Clock } from "../ports.ts"

/** Where a consumer stands in one partition. */
export interface Progress {
  /** Unique among those watched. */
  readonly name: string
  /** The offset it reads next. */
  readonly position: bigint
  /** True while it is not meant to read on. */
  readonly paused: boolean
}

export interface WatchdogParts {
  readonly clock: Clock
  /** No progress for this long, in spite of lag, is a stall. */
  readonly stalledAfterMs: number
  readonly checkEveryMs: number
  readonly progress: () => readonly Progress[]
  /** The end offsets by name, asked anew; a name that is missing ends at 0. May reject. */
  readonly ends: () => Promise<ReadonlyMap<string, bigint>>
  /** Called with the names of those that stand still. */
  readonly onStalled: (names: readonly string[]) => Promise<void>
}

interface Standstill {
  readonly position: bigint
  readonly sinceMs: number
}

/**
 * Notices a consumer that stands still although there is lag.
 *
 * The lag is asked over another connection: a consumer whose fetches never return knows of none. A
 * broker that does not answer that question either is an outage, which is waited for, not a stall.
 */
export class LagWatchdog {
  readonly #parts: WatchdogParts
  #standing = new Map<string, Standstill>()

  constructor(parts: WatchdogParts) {
    this.#parts = parts
  }

  /** Checks until the signal fires. */
  async watch(signal: AbortSignal): Promise<void> {
    const { clock, checkEveryMs } = this.#parts
    while (!signal.aborted) {
      await clock.sleep(checkEveryMs, signal).catch(() => undefined)
      if (!signal.aborted) await this.check()
    }
  }

  async check(): Promise<void> {
    const { clock, stalledAfterMs, onStalled } = this.#parts
    const nowMs = clock.nowMs()
    this.#standing = await this.#stillStanding(nowMs)
    const stalled = [...this.#standing]
      .filter(([, { sinceMs }]) => nowMs - sinceMs >= stalledAfterMs)
      .map(([name]) => name)
    if (stalled.length === 0) return
    this.#standing.clear()
    await onStalled(stalled)
  }

  /** Those behind their end that have not moved since the last check keep their time. */
  async #stillStanding(nowMs: number): Promise<Map<string, Standstill>> {
    const before = this.#standing
    const ends = await this.#parts.ends().catch(() => undefined)
    if (ends === undefined) return new Map()
    const behind = this.#parts
      .progress()
      .filter(({ name, position, paused }) => !paused && position < (ends.get(name) ?? 0n))
    return new Map(
      behind.map(({ name, position }) => {
        const known = before.get(name)
        const sinceMs = known?.position === position ? known.sinceMs : nowMs
        return [name, { position, sinceMs }]
      }),
    )
  }
}
