import { OperatorRunner, type Runner, type RunnerParts } from "./run-operator.ts"
import type { BatchOptions, Operator, OperatorContext } from "./types.ts"

interface Member {
  readonly input: unknown
  readonly context: OperatorContext
  readonly resolve: (output: unknown) => void
  readonly reject: (error: unknown) => void
}

type Batching = Operator<never, unknown> & { readonly batch: BatchOptions<never, unknown> }

export function isBatching(operator: Operator<never, unknown>): operator is Batching {
  return operator.batch !== undefined
}

/**
 * Runs an operator on batches that form by themselves: what arrives while one is under way shares
 * the next. A record that comes alone goes at once, by `process`.
 *
 * What a batch leaves without an output, or all of a batch that fails, is run again record by record, so
 * that one poisoned record fails alone.
 */
export class BatchRunner implements Runner {
  readonly operator: Batching
  readonly #single: OperatorRunner
  readonly #parts: RunnerParts
  #waiting: Member[] = []
  #isGathering = false

  constructor(operator: Batching, parts: RunnerParts) {
    this.operator = operator
    this.#single = new OperatorRunner(operator, parts)
    this.#parts = parts
  }

  get gate() {
    return this.#single.gate
  }

  run(input: unknown, context: OperatorContext): Promise<unknown> {
    if (context.signal.aborted) return Promise.reject(context.signal.reason)
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    this.#waiting.push({ input, context, resolve, reject })
    if (!this.#isGathering) void this.#gather()
    return promise
  }

  /** One gatherer at a time; it waits for a place and takes what has come until then. */
  async #gather(): Promise<void> {
    this.#isGathering = true
    // everything that the same turn of the event loop brings
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      await this.#linger()
      await this.gate.enter(never)
      const batch = this.#waiting.splice(0, this.operator.batch.sizeMax)
      void this.#runBatch(batch)
    }
    this.#isGathering = false
  }

  async #linger(): Promise<void> {
    const { lingerMs = 0, sizeMax } = this.operator.batch
    const { length } = this.#waiting
    if (lingerMs > 0 && length > 1 && length < sizeMax) await this.#parts.clock.sleep(lingerMs)
  }

  async #runBatch(batch: readonly Member[]): Promise<void> {
    const [first] = batch
    if (batch.length === 1 && first !== undefined) {
      this.gate.leave()
      return settle(first, this.#single)
    }
    const outputs = await this.#tryBatch(batch)
    for (const [index, member] of batch.entries()) {
      const output = outputs[index]
      if (output === undefined) void settle(member, this.#single)
      else member.resolve(output)
    }
  }

  async #tryBatch(batch: readonly Member[]): Promise<readonly unknown[]> {
    const startedMs = performance.now()
    const inputs = batch.map(({ input }) => input as never)
    let outputs: readonly unknown[] = []
    try {
      const signal = AbortSignal.any(batch.map(({ context }) => context.signal))
      const answered = await this.operator.batch.process(inputs, signal)
      // otherwise nobody knows which output is whose
      if (answered.length === batch.length) outputs = answered
    } catch {
      // each of them fails, or not, by itself
    } finally {
      this.gate.leave()
    }
    this.#observe(outputs, { size: batch.length, seconds: (performance.now() - startedMs) / 1_000 })
    return outputs
  }

  #observe(
    outputs: readonly unknown[],
    { size, seconds }: { size: number; seconds: number },
  ): void {
    const { observer } = this.#parts
    observer.batched?.(this.operator.name, size)
    for (const output of outputs) {
      if (output !== undefined) observer.operatorDone(this.operator.name, "ok", seconds / size)
    }
  }
}

const never = new AbortController().signal

async function settle(member: Member, runner: OperatorRunner): Promise<void> {
  try {
    member.resolve(await runner.run(member.input, member.context))
  } catch (error) {
    member.reject(error)
  }
}
