import type { Alert, AlertDelivery, AlertStore, AlertTarget, QueuedAlert } from "../../alert.ts"
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
 * Delivers what waits for one target, the oldest first, one after the other; before each try the
 * store is asked anew, for an update may have taken the place of another. At least once: an alert
 * leaves the store only after it was delivered, so a crash in between delivers it again.
 */
export class AlertDeliveries {
  readonly #parts: AlertDeliveryParts
  readonly #stopping = new AbortController()
  #woken = Promise.withResolvers<void>()
  readonly #running: Promise<void>
  #failures = 0
  #refused = { eventId: "", count: 0 }

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

  /** One try, with the pause that it brings; or the wait for something to deliver. */
  async #next(): Promise<void> {
    const { store, target } = this.#parts
    this.#woken = Promise.withResolvers<void>()
    const queued = store.next(target.name)
    if (queued === undefined) return this.#woken.promise
    const { signal } = this.#stopping
    const answer = await target.deliver(queued.alert, signal)
    const outcome = this.#outcomeOf(answer, queued)
    this.#parts.onTried(outcome, answer.outcome === "delivered" ? "" : answer.code)
    if (outcome !== "retry") await store.settle(target.name, queued.alert.event_id)
    await this.#pause(answer)
  }

  #outcomeOf(answer: AlertDelivery, { alert, queuedMs }: QueuedAlert): DeliveryOutcome {
    if (answer.outcome === "delivered") return "delivered"
    if (answer.outcome === "refused" && this.#refusalsOf(alert) >= REFUSED_MAX) return "refused"
    return this.#parts.clock.nowMs() - queuedMs >= LIFE_MS ? "expired" : "retry"
  }

  /** This one included. */
  #refusalsOf({ event_id: eventId }: Alert): number {
    const count = this.#refused.eventId === eventId ? this.#refused.count + 1 : 1
    this.#refused = { eventId, count }
    return count
  }

  /** The longer, the more tries in a row have failed, whichever alerts they were for. */
  async #pause(answer: AlertDelivery): Promise<void> {
    if (answer.outcome === "delivered") {
      this.#failures = 0
      return
    }
    this.#failures += 1
    const { clock, random } = this.#parts
    const askedMs = answer.outcome === "retry" ? answer.afterMs : undefined
    const pauseMs = askedMs ?? backoffMs(this.#failures, RETRY, random)
    await clock.sleep(pauseMs, this.#stopping.signal)
  }
}
