import { hostname } from "node:os"
import { systemClock, withDeadline } from "../clock.ts"
import type { Config } from "../config.ts"
import { kafkaClient } from "../connectors/kafka-client.ts"
import {
  kafkaModelChanged,
  MODEL_CHANGED_TOPIC,
  type ModelChangedEvent,
  modelChangedEvent,
} from "../connectors/kafka-model-changed.ts"
import { publicError } from "../errors.ts"
import type { Logger } from "../log.ts"
import type { ModelDecision } from "../model-traffic.ts"
import type { Clock } from "../ports.ts"
import { backoffMs } from "../stream/backoff.ts"
import type { Telemetry } from "../telemetry.ts"

export interface ModelEventsParts {
  readonly publish: (event: ModelChangedEvent, signal: AbortSignal) => Promise<void>
  readonly clock: Clock
  readonly random: () => number
  readonly log: Logger
  readonly telemetry: Pick<Telemetry, "kafkaMessage">
}

const RETRY = { attemptsMax: Number.POSITIVE_INFINITY, baseMs: 500, capMs: 30_000 } as const
/** There are few decisions a day: so many wait only where Kafka is out for weeks. */
const WAITING_MAX = 1_000
/** What waits when the process stops has this long; the registry and the audit log have it in any case. */
const FAREWELL_MS = 2_000

/** Publishes decisions in their order, each until it is durable. */
export class ModelEvents {
  readonly #parts: ModelEventsParts
  readonly #waiting: ModelChangedEvent[] = []
  readonly #stopping = new AbortController()
  #sending: Promise<void> | undefined

  constructor(parts: ModelEventsParts) {
    this.#parts = parts
  }

  add(decisions: readonly ModelDecision[]): void {
    this.#waiting.push(...decisions.map((decision) => modelChangedEvent(decision, hostname())))
    while (this.#waiting.length > WAITING_MAX) this.#waiting.shift()
    this.#sending ??= this.#send()
  }

  /** Resolves once nothing waits, or it has waited long enough. */
  async close(): Promise<void> {
    const { clock } = this.#parts
    const sent = this.#sending ?? Promise.resolve()
    await withDeadline({ ms: FAREWELL_MS, clock }, sent, () => undefined)
    this.#stopping.abort()
    await this.#sending
  }

  async #send(): Promise<void> {
    const { signal } = this.#stopping
    let failures = 0
    for (let [event] = this.#waiting; event && !signal.aborted; [event] = this.#waiting) {
      failures = (await this.#isPublished(event, failures)) ? 0 : failures + 1
      if (failures > 0) await this.#pause(failures)
      // it may have made room for another one meanwhile
      else if (event === this.#waiting[0]) this.#waiting.shift()
    }
    this.#sending = undefined
  }

  async #isPublished(event: ModelChangedEvent, failures: number): Promise<boolean> {
    const { publish, telemetry, log } = this.#parts
    try {
      await publish(event, this.#stopping.signal)
      telemetry.kafkaMessage(MODEL_CHANGED_TOPIC, "produced")
      return true
    } catch (error) {
      telemetry.kafkaMessage(MODEL_CHANGED_TOPIC, "failed")
      // an outage is one line
      if (failures === 0) log.warn("a decision about a model waits for Kafka", publicError(error))
      return false
    }
  }

  #pause(failures: number): Promise<void> {
    const { clock, random } = this.#parts
    const waitMs = backoffMs(failures, RETRY, random)
    return clock.sleep(waitMs, this.#stopping.signal).catch(() => undefined)
  }
}

/** undefined where no Kafka is configured; nothing is connected before the first decision. */
export function openModelEvents(
  {
    config,
    log,
    telemetry,
  }: Pick<ModelEventsParts, "log" | "telemetry"> & {
    readonly config: Pick<Config, "kafka">
  },
  stack: AsyncDisposableStack,
): ModelEvents | undefined {
  if (config.kafka === undefined) return undefined
  const { brokers } = config.kafka
  const topic = kafkaModelChanged(kafkaClient({ brokers, clientId: "sentinel-models" }))
  const { publish } = topic
  const parts = { publish, clock: systemClock, random: Math.random, log, telemetry }
  const events = new ModelEvents(parts)
  stack.defer(async () => {
    await events.close()
    await topic.close()
  })
  return events
}
