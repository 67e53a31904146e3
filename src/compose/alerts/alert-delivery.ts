import type { AlertDelivery, AlertStore, AlertTarget, QueuedAlert } from "../../alert.ts"
import { publicError } from "../../errors.ts"
import type { Clock } from "../../ports.ts"
import { backoffMs } from "../../stream/backoff.ts"

export type DeliveryOutcome = AlertDelivery["outcome"] | "expired"

export interface AlertDeliveryParts {
  readonly store: Pick<AlertStore, "next" | "settle">
  readonly target: AlertTarget
  readonly clock: Clock
  readonly random: () => number
  /** Told of each try. `code`: why it was no delivery. */
  readonly onTried: (outcome: DeliveryOutcome, code: string) => void
}

const RETRY = { attemptsMax: Number.POSITIVE_INFINITY, baseMs: 1_000, capMs: 300_000 }
/** After the store could not be read or written. */
const STORE_PAUSE_MS = 10_000
/** Tries for an alert that the receiver has something against. */
const REFUSED_MAX = 5
/** An alert that could not be delivered for so long is given up at its next try. */
const LIFE_MS = 24 * 3_600_000

/**
 * Delivers what waits for one target, the oldest first, one after the other. At least once: an alert
 * leaves the store only after it was delivered, so a crash in between delivers it again.
 */
export class AlertDeliveries {
  readonly #parts: AlertDeliveryParts
  readonly #stopping = new AbortController()
  #woken = Promise.withResolvers<void>()
  readonly #running: Promise<void>

  constructor(parts: AlertDeliveryParts) {
    this.#parts = parts
    this.#running = this.#run()
  }

  /** Something waits. */
  wake(): void {
    this.#woken.resolve()
  }

  /** Ends the try that is under way. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    this.wake()
    await this.#running
    await this.#parts.target.close()
  }

  async #run(): Promise<void> {
    const { clock, onTried } = this.#parts
    const { signal } = this.#stopping
    while (!signal.aborted) {
      try {
        await this.#next()
      } catch (error) {
        if (signal.aborted) return
        onTried("retry", publicError(error).code)
        await clock.sleep(STORE_PAUSE_MS, signal).catch(() => undefined)
      }
    }
  }

  async #next(): Promise<void> {
    const { store, target } = this.#parts
    this.#woken = Promise.withResolvers<void>()
    const queued = store.next(target.name)
    if (queued === undefined) await this.#woken.promise
    else await this.#deliver(queued)
  }

  /** Returns when the alert is settled; rejects when stopping. */
  async #deliver({ alert, queuedMs }: QueuedAlert): Promise<void> {
    const { store, target, clock, random } = this.#parts
    const { signal } = this.#stopping
    let refusals = 0
    for (let attempt = 1; ; attempt += 1) {
      const answer = await target.deliver(alert, signal)
      if (answer.outcome === "refused") refusals += 1
      const isOver = answer.outcome === "delivered" || refusals === REFUSED_MAX
      const isLate = !isOver && clock.nowMs() - queuedMs >= LIFE_MS
      this.#tell(answer, { isOver, isLate })
      if (isOver || isLate) return store.settle(target.name, alert.event_id)
      const afterMs = "afterMs" in answer ? answer.afterMs : undefined
      await clock.sleep(afterMs ?? backoffMs(attempt, RETRY, random), signal)
    }
  }

  #tell(
    answer: AlertDelivery,
    { isOver, isLate }: { readonly isOver: boolean; readonly isLate: boolean },
  ): void {
    const code = answer.outcome === "delivered" ? "" : answer.code
    const retried = answer.outcome === "refused" && !isOver ? "retry" : answer.outcome
    this.#parts.onTried(isLate ? "expired" : retried, code)
  }
}
