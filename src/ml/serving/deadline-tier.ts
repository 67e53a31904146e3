import { UnavailableError } from "../../errors.ts"
import { type Classification, PAYLOAD_CLASSES } from "../../events.ts"
import type { SecondedAnswer, SecondTier, SecondTierOutcome } from "../../model-traffic.ts"
import type { PayloadInput } from "../../ports.ts"
import type { PredictionMemory } from "./cached-classifier.ts"
import type { CircuitBreaker } from "./circuit-breaker.ts"
import { combineTiers, isUnsure } from "./combine-tiers.ts"
import { withKind } from "./payload-kind.ts"
import {
  type PlacedText,
  type Probabilities,
  TextGatherer,
  type TextsJudge,
} from "./text-gatherer.ts"

/** Longer texts have more windows than a deadline holds: the fast tier judges them alone. */
export const SECOND_TIER_CHARS_MAX = 4_096
/**
 * Texts that are being judged or wait for it: with some 0.2 ms each in two threads, the last one is done
 * within a deadline of 10 ms. Further ones are refused at once, which is no fault of the model.
 */
export const FLIGHTS_MAX = 64

export interface DeadlineTierParts {
  readonly modelId: string
  /** @throws UnavailableError where too much waits */
  readonly judge: TextsJudge
  /** Shared with the fast tier: one bound for all that is remembered. */
  readonly memory: PredictionMemory
  readonly breaker: CircuitBreaker
  /** From the request's arrival. */
  readonly deadlineMs: number
  /** Monotonic milliseconds. */
  readonly nowMs: () => number
  /** @returns what calls it off */
  readonly setTimer: (action: () => void, delayMs: number) => () => void
  /** Told of each payload that was to be asked about. */
  readonly onOutcome?: (outcome: SecondTierOutcome) => void
  /** Told how long the model took for a text, waiting included; late answers too. */
  readonly onJudged?: (modelId: string, elapsedMs: number) => void
}

/** One text that the model is asked about, for however many requests. */
interface Flight {
  readonly startedMs: number
  readonly opinion: Promise<Classification>
  isLate: boolean
}

/** Models loaded so far: tells one from another of the same id. */
let loaded = 0

/**
 * A second tier under a deadline. Where it is late, busy, failing or resting, the fast tier's answer
 * goes out, `degraded`. One text is judged once at a time. What the model says of a text in its place
 * depends on nothing else, so that alone is remembered, when it comes late as well, and is combined with whatever
 * the fast tier says: no answer survives a change of either model.
 */
export class DeadlineTier implements SecondTier {
  readonly modelId: string
  readonly #parts: DeadlineTierParts
  readonly #owner: string
  readonly #texts: TextGatherer
  readonly #flights = new Map<string, Flight>()

  constructor(parts: DeadlineTierParts) {
    loaded += 1
    this.modelId = parts.modelId
    this.#parts = parts
    this.#owner = `${parts.modelId}#${loaded}`
    this.#texts = new TextGatherer(parts.judge)
  }

  get breaker(): CircuitBreaker {
    return this.#parts.breaker
  }

  /** Texts that are being judged or wait for it. */
  get waiting(): number {
    return this.#flights.size
  }

  isUnsure({ probabilities }: Classification): boolean {
    return isUnsure(1 - (probabilities.benign ?? 0))
  }

  async judge(
    input: PayloadInput,
    said: Classification,
    arrivedMs: number,
  ): Promise<SecondedAnswer> {
    const placed = withKind(input)
    const known = this.#parts.memory.get(this.#keyOf(placed))
    const opinion = known ?? (await this.#ask(placed, arrivedMs))
    const outcome = typeof opinion === "string" ? opinion : "answered"
    this.#parts.onOutcome?.(outcome)
    if (typeof opinion === "string") return degraded(said)
    return { classification: combineTiers(said, opinion), cached: known !== undefined }
  }

  /** @returns what the model says, or why it says nothing in time */
  async #ask(placed: PlacedText, arrivedMs: number): Promise<Classification | SecondTierOutcome> {
    const { breaker, deadlineMs, nowMs } = this.#parts
    if (placed.text.length > SECOND_TIER_CHARS_MAX || !breaker.lets) return "skipped"
    const remainingMs = arrivedMs + deadlineMs - nowMs()
    if (remainingMs <= 0) return "deadline"
    const flight = this.#flights.get(this.#keyOf(placed)) ?? this.#begin(placed)
    return flight === undefined ? "busy" : this.#within(remainingMs, flight)
  }

  #within(remainingMs: number, flight: Flight): Promise<Classification | SecondTierOutcome> {
    const { promise, resolve } = Promise.withResolvers<Classification | SecondTierOutcome>()
    const callOff = this.#parts.setTimer(() => {
      this.#blame(flight)
      resolve("deadline")
    }, remainingMs)
    flight.opinion.then(resolve, (error) =>
      resolve(error instanceof UnavailableError ? "busy" : "failed"),
    )
    return promise.finally(callOff)
  }

  /** A request that had little time left when it asked says nothing of the model. */
  #blame(flight: Flight): void {
    const { nowMs, deadlineMs, breaker } = this.#parts
    if (flight.isLate || nowMs() - flight.startedMs < deadlineMs / 2) return
    flight.isLate = true
    breaker.failed()
  }

  /** undefined where too many are under way. */
  #begin(placed: PlacedText): Flight | undefined {
    if (this.#flights.size >= FLIGHTS_MAX) return undefined
    const startedMs = this.#parts.nowMs()
    const key = this.#keyOf(placed)
    const opinion = this.#texts.ask(placed).then((probabilities) => this.#opinionOf(probabilities))
    const flight: Flight = { startedMs, opinion, isLate: false }
    this.#flights.set(key, flight)
    void opinion
      .then((given) => this.#land(key, flight, given))
      .catch((error) => this.#crash(flight, error))
      .finally(() => this.#flights.delete(key))
    return flight
  }

  #land(key: string, flight: Flight, opinion: Classification): void {
    const { memory, breaker, nowMs, onJudged } = this.#parts
    const elapsedMs = nowMs() - flight.startedMs
    memory.set(key, opinion)
    if (!flight.isLate) breaker.succeeded(elapsedMs)
    onJudged?.(this.modelId, elapsedMs)
  }

  /** To have too much to do is no fault of the model. */
  #crash(flight: Flight, error: unknown): void {
    if (!flight.isLate && !(error instanceof UnavailableError)) this.#parts.breaker.failed()
  }

  #opinionOf(probabilities: Probabilities): Classification {
    const confidence = Math.max(...probabilities)
    return {
      class: PAYLOAD_CLASSES[probabilities.indexOf(confidence)] ?? "benign",
      confidence,
      probabilities: Object.fromEntries(
        PAYLOAD_CLASSES.map((name, index) => [name, probabilities[index] ?? 0]),
      ),
      method: "ml",
      model: this.modelId,
    }
  }

  #keyOf({ text, kind }: PlacedText): string {
    return `${this.#owner}\n${kind ?? ""}\n${text}`
  }
}

function degraded(said: Classification): SecondedAnswer {
  return { classification: { ...said, degraded: true }, cached: false }
}
