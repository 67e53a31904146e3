import { SentinelError, UnavailableError } from "../errors.ts"
import type { Clock } from "../ports.ts"
import { backoffMs, type RetryPolicy } from "./backoff.ts"
import { OperatorFailure, OperatorTimeoutError } from "./failures.ts"
import { Gate } from "./gate.ts"
import type { EngineObserver, Operator, OperatorContext, SourceRecord } from "./types.ts"

/** A value, or the promise of one: what is ready at once costs no turn of the event loop. */
export type Maybe<T> = T | Promise<T>

export interface RunnerParts {
  readonly clock: Clock
  readonly observer: EngineObserver
  readonly random: () => number
  readonly retry: RetryPolicy
}

/** Runs one step for any number of records. */
export interface Runner {
  readonly operator: Operator<never, unknown>
  readonly gate: Gate
  /**
   * @returns the output, at once where the operator answers at once
   * @throws OperatorFailure, or the signal's reason once the record is abandoned
   */
  run(input: unknown, context: OperatorContext): Maybe<unknown>
}

/**
 * The one place where an operator's failure is judged.
 *
 * A retryable SentinelError is tried again with backoff, up to `attemptsMax`, and for `outageMs` where
 * an outside system is unavailable; all else, and what is used up, is thrown as an OperatorFailure.
 * No permit is held while waiting to try again.
 */
export class OperatorRunner implements Runner {
  readonly operator: Operator<never, unknown>
  readonly gate: Gate
  readonly #parts: RunnerParts

  constructor(operator: Operator<never, unknown>, parts: RunnerParts) {
    this.operator = operator
    this.gate = new Gate(operator.concurrency ?? 1)
    this.#parts = parts
  }

  run(input: unknown, context: OperatorContext): Maybe<unknown> {
    if (context.signal.aborted) throw context.signal.reason
    if (!this.gate.tryEnter()) return this.#retrying(input, context, undefined)
    const startedMs = performance.now()
    try {
      const output = this.#process(input, context)
      if (output instanceof Promise) return this.#arriving(output, { input, context, startedMs })
      this.#left("ok", startedMs)
      return output
    } catch (error) {
      this.#left("failed", startedMs)
      context.signal.throwIfAborted()
      if (!isRetryable(error)) throw this.#failure(error, 1)
      return this.#retrying(input, context, Promise.resolve({ error }))
    }
  }

  /** One promise, and no more, for a first attempt that succeeds. */
  #arriving(output: Promise<unknown>, call: Call): Promise<unknown> {
    return output.then(
      (ready) => {
        this.#left("ok", call.startedMs)
        return ready
      },
      (error) => {
        this.#left("failed", call.startedMs)
        return this.#retrying(call.input, call.context, Promise.resolve({ error }))
      },
    )
  }

  /** @param first the attempt that is already under way, if one is */
  async #retrying(
    input: unknown,
    context: OperatorContext,
    first: Promise<Attempt> | undefined,
  ): Promise<unknown> {
    const { clock, observer, random, retry } = this.#parts
    let running = first
    let failingSinceMs: number | undefined
    for (let attempt = 1; ; attempt += 1) {
      const result = await (running ?? this.#attempt(input, context))
      if (!("error" in result)) return result.output
      context.signal.throwIfAborted()
      const { error } = result
      failingSinceMs ??= clock.nowMs()
      const failingMs = clock.nowMs() - failingSinceMs
      if (!isWorthRetrying(error, { attempt, failingMs, retry })) {
        throw this.#failure(error, attempt)
      }
      observer.retried(this.operator.name, error.code)
      await clock.sleep(backoffMs(attempt, retry, random), context.signal)
      running = undefined
    }
  }

  /** A flow inside the operator has tried what is worth trying. */
  #failure(error: unknown, attempts: number): OperatorFailure {
    if (error instanceof OperatorFailure) return error
    return new OperatorFailure(this.operator.name, attempts, error)
  }

  async #attempt(input: unknown, context: OperatorContext): Promise<Attempt> {
    await this.gate.enter(context.signal)
    const startedMs = performance.now()
    return this.#finish((async () => this.#process(input, context))(), startedMs)
  }

  async #finish(work: Promise<unknown>, startedMs: number): Promise<Attempt> {
    try {
      const output = await work
      this.#left("ok", startedMs)
      return { output }
    } catch (error) {
      this.#left("failed", startedMs)
      return { error }
    }
  }

  #left(outcome: "ok" | "failed", startedMs: number): void {
    this.gate.leave()
    const seconds = (performance.now() - startedMs) / 1_000
    this.#parts.observer.operatorDone(this.operator.name, outcome, seconds)
  }

  #process(input: unknown, context: OperatorContext): Maybe<unknown> {
    const { operator } = this
    if (operator.timeoutMs === undefined) return operator.process(input as never, context)
    const timed = new TimedContext(context)
    const output = operator.process(input as never, timed)
    return output instanceof Promise ? this.#inTime(output, timed, operator.timeoutMs) : output
  }

  /** The operator's signal fires at its timeout; one that ignores the signal is not waited for. */
  async #inTime(output: Promise<unknown>, context: TimedContext, timeoutMs: number) {
    const finished = new AbortController()
    const timeout = this.#parts.clock.sleep(timeoutMs, finished.signal).then(() => {
      const error = new OperatorTimeoutError(this.operator.name, timeoutMs)
      context.giveUp(error)
      throw error
    })
    timeout.catch(() => undefined)
    try {
      return await Promise.race([output, timeout])
    } finally {
      finished.abort()
    }
  }
}

/** Of a call with a timeout; its signal is made for those who ask for it, as it costs some 10 us. */
class TimedContext implements OperatorContext {
  readonly key: string
  readonly eventTimeMs: number
  readonly record: SourceRecord
  readonly #outer: AbortSignal
  readonly #giveUp = new AbortController()
  #signal: AbortSignal | undefined

  constructor({ key, eventTimeMs, record, signal }: OperatorContext) {
    this.key = key
    this.eventTimeMs = eventTimeMs
    this.record = record
    this.#outer = signal
  }

  get signal(): AbortSignal {
    this.#signal ??= AbortSignal.any([this.#outer, this.#giveUp.signal])
    return this.#signal
  }

  giveUp(reason: unknown): void {
    this.#giveUp.abort(reason)
  }
}

function isRetryable(error: unknown): error is SentinelError {
  return error instanceof SentinelError && error.retryable
}

function isWorthRetrying(
  error: unknown,
  tried: { attempt: number; failingMs: number; retry: RetryPolicy },
): error is SentinelError {
  if (!isRetryable(error)) return false
  const { attemptsMax, outageMs = 0 } = tried.retry
  const isOutage = error instanceof UnavailableError && tried.failingMs < outageMs
  return isOutage || tried.attempt < attemptsMax
}

interface Call {
  readonly input: unknown
  readonly context: OperatorContext
  readonly startedMs: number
}

type Attempt = { readonly output: unknown } | { readonly error: unknown }
