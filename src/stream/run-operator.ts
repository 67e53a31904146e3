import { SentinelError } from "../errors.ts"
import type { Clock } from "../ports.ts"
import { backoffMs, type RetryPolicy } from "./backoff.ts"
import { OperatorFailure, OperatorTimeoutError } from "./failures.ts"
import { Gate } from "./gate.ts"
import type { EngineObserver, Operator, OperatorContext } from "./types.ts"

export interface RunnerParts {
  readonly clock: Clock
  readonly observer: EngineObserver
  readonly random: () => number
  readonly retry: RetryPolicy
}

/**
 * The one place where an operator's failure is judged.
 *
 * A retryable SentinelError is tried again with backoff, up to `attemptsMax`; all else, and what is
 * used up, is thrown as an OperatorFailure. No permit is held while waiting to try again.
 */
export class OperatorRunner {
  readonly operator: Operator<never, unknown>
  readonly gate: Gate
  readonly #parts: RunnerParts

  constructor(operator: Operator<never, unknown>, parts: RunnerParts) {
    this.operator = operator
    this.gate = new Gate(operator.concurrency ?? 1)
    this.#parts = parts
  }

  /** @throws OperatorFailure, or the signal's reason once the record is abandoned */
  async run(input: unknown, context: OperatorContext): Promise<unknown> {
    const { clock, observer, random, retry } = this.#parts
    for (let attempt = 1; ; attempt += 1) {
      const result = await this.#attempt(input, context)
      if (!("error" in result)) return result.output
      context.signal.throwIfAborted()
      const { error } = result
      const again = error instanceof SentinelError && error.retryable && attempt < retry.attemptsMax
      if (!again) throw new OperatorFailure(this.operator.name, attempt, error)
      observer.retried(this.operator.name, error.code)
      await clock.sleep(backoffMs(attempt, retry, random), context.signal)
    }
  }

  async #attempt(
    input: unknown,
    context: OperatorContext,
  ): Promise<{ output: unknown } | { error: unknown }> {
    const entering = this.gate.enter(context.signal)
    if (entering !== undefined) await entering
    const startedMs = performance.now()
    let outcome: "ok" | "failed" = "failed"
    try {
      const output = await this.#process(input, context)
      outcome = "ok"
      return { output }
    } catch (error) {
      return { error }
    } finally {
      this.gate.leave()
      const seconds = (performance.now() - startedMs) / 1_000
      this.#parts.observer.operatorDone(this.operator.name, outcome, seconds)
    }
  }

  #process(input: unknown, context: OperatorContext): Promise<unknown> | unknown {
    const { operator } = this
    if (operator.timeoutMs === undefined) return operator.process(input as never, context)
    return this.#processInTime(input, context, operator.timeoutMs)
  }

  /** The operator's signal fires at its timeout; one that ignores the signal is not waited for. */
  async #processInTime(input: unknown, context: OperatorContext, timeoutMs: number) {
    const giveUp = new AbortController()
    const signal = AbortSignal.any([context.signal, giveUp.signal])
    const finished = new AbortController()
    const timeout = this.#parts.clock.sleep(timeoutMs, finished.signal).then(() => {
      const error = new OperatorTimeoutError(this.operator.name, timeoutMs)
      giveUp.abort(error)
      throw error
    })
    timeout.catch(() => undefined)
    try {
      const work = this.operator.process(input as never, { ...context, signal })
      return await Promise.race([work, timeout])
    } finally {
      finished.abort()
    }
  }
}
