import type { Consumer } from "./kafka-client.ts"

/** A heartbeat is due every fifth of the session timeout; after one and a half of it the group has gone on without us. */
const SILENT_AFTER_SESSIONS = 1.5

/** Whether a consumer still hears from its group: by the heartbeats that the broker answers. */
export class ConsumerLiveness {
  readonly #silentAfterMs: number
  readonly #nowMs: () => number
  #consumer: Consumer | undefined
  #heardMs = Number.NEGATIVE_INFINITY

  constructor(sessionTimeoutMs: number, nowMs: () => number = Date.now) {
    this.#silentAfterMs = sessionTimeoutMs * SILENT_AFTER_SESSIONS
    this.#nowMs = nowMs
  }

  get isAlive(): boolean {
    return this.#nowMs() - this.#heardMs < this.#silentAfterMs
  }

  /** Listens to this consumer and no longer to any before. */
  listen(consumer: Consumer): void {
    this.#consumer = consumer
    const { on, events } = consumer
    const hear = (heardMs: () => number) => () => {
      if (consumer === this.#consumer) this.#heardMs = heardMs()
    }
    on(events.GROUP_JOIN, hear(this.#nowMs))
    on(events.HEARTBEAT, hear(this.#nowMs))
    on(
      events.CRASH,
      hear(() => Number.NEGATIVE_INFINITY),
    )
  }
}
