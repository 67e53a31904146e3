import type { BranchArm, Dataflow, ParallelArm, Step } from "./dataflow.ts"
import { OperatorFailure } from "./failures.ts"
import { BatchRunner, isBatching } from "./run-batch.ts"
import { type Maybe, OperatorRunner, type Runner, type RunnerParts } from "./run-operator.ts"
import type {
  MessageSink,
  Operator,
  OperatorContext,
  OutgoingMessage,
  Sink,
  WritingSink,
} from "./types.ts"

/** The context of a record on its way; it gathers the messages that its sinks make. */
export interface JourneyContext extends OperatorContext {
  staged: OutgoingMessage[] | undefined
}

export interface OperatorStats {
  readonly operator: string
  readonly concurrency: number
  readonly inside: number
  readonly waiting: number
  /** How long, since the beginning, some record has been waiting for a place; milliseconds. */
  readonly waitedMs: number
}

type CompiledStep = (value: unknown, context: JourneyContext) => Maybe<unknown>

/**
 * Carries a value through every step of a flow; shared by all records, so limits are the flow's.
 *
 * Steps that answer at once run one after the other without a turn of the event loop.
 */
export class Executor {
  readonly #steps: readonly CompiledStep[]
  readonly #parts: RunnerParts
  readonly #runners = new Map<string, Runner>()

  /** @throws Error if two steps share a name: counters and topology are told apart by it */
  constructor(flow: Dataflow<never, unknown>, parts: RunnerParts) {
    this.#parts = parts
    this.#steps = this.#compile(flow.steps)
  }

  /** @throws OperatorFailure, or the signal's reason once the record is abandoned */
  run(value: unknown, context: JourneyContext): Maybe<unknown> {
    return runFrom(this.#steps, 0, value, context)
  }

  /** Records inside and waiting before each operator and sink. */
  operatorStats(): readonly OperatorStats[] {
    return [...this.#runners.values()].map(({ operator, gate }) => ({
      operator: operator.name,
      concurrency: operator.concurrency ?? 1,
      inside: gate.inside,
      waiting: gate.waiting,
      waitedMs: gate.waitedMs,
    }))
  }

  #compile(steps: readonly Step[]): readonly CompiledStep[] {
    return steps.map((step) => this.#compileStep(step))
  }

  #compileStep(step: Step): CompiledStep {
    switch (step.kind) {
      case "operator": {
        const runner = this.#add(step.operator, this.#parts)
        return (value, context) => runner.run(value, context)
      }
      case "sink":
        return this.#compileSink(step.sink)
      case "parallel":
        return this.#compileParallel(step.name, step.arms)
      case "branch":
        return this.#compileBranch(step)
    }
  }

  #compileSink(sink: Sink<never>): CompiledStep {
    if ("message" in sink) return stage(sink)
    const runner = this.#add(sinkOperator(sink), patient(this.#parts))
    return (value, context) => {
      const written = runner.run(value, context)
      return written instanceof Promise ? written.then(() => value) : value
    }
  }

  #compileParallel(name: string, arms: readonly ParallelArm[]): CompiledStep {
    const compiled = arms.map((arm) => ({ name: arm.name, run: this.#compileArm(arm) }))
    return (value, context) => {
      const outputs = compiled.map(({ run }) => start(run, value, context))
      const join = (settled: readonly unknown[]) => {
        const joined: Record<string, unknown> = {}
        for (const [index, arm] of compiled.entries()) joined[arm.name] = settled[index]
        return { ...(value as object), [name]: joined }
      }
      return outputs.some((output) => output instanceof Promise)
        ? Promise.all(outputs).then(join)
        : join(outputs)
    }
  }

  /** An arm that may be missing leaves its error's code where its output would have been. */
  #compileArm({ operator }: ParallelArm): CompiledStep {
    const runner = this.#add(operator, this.#parts)
    const run: CompiledStep = (value, context) => runner.run(value, context)
    if (operator.onFailure !== "degraded") return run
    const degrade = (error: unknown) => {
      if (!(error instanceof OperatorFailure)) throw error
      return { failed: error.code }
    }
    return (value, context) => {
      const output = start(run, value, context)
      return output instanceof Promise ? output.catch(degrade) : output
    }
  }

  #compileBranch(step: Extract<Step, { kind: "branch" }>): CompiledStep {
    const arms = new Map(step.arms.map((arm: BranchArm) => [arm.name, this.#compile(arm.steps)]))
    return (value, context) => {
      const arm = arms.get(step.select(value as never))
      if (arm === undefined) throw new Error(`branch ${step.name} has no arm for its value`)
      return runFrom(arm, 0, value, context)
    }
  }

  #add(operator: Operator<never, unknown>, parts: RunnerParts): Runner {
    if (this.#runners.has(operator.name)) throw new Error(`two steps are named ${operator.name}`)
    const runner = isBatching(operator)
      ? new BatchRunner(operator, parts)
      : new OperatorRunner(operator, parts)
    this.#runners.set(operator.name, runner)
    return runner
  }
}

/** An arm that throws must not leave the promises of the others unwatched. */
function start(run: CompiledStep, value: unknown, context: JourneyContext): Maybe<unknown> {
  try {
    return run(value, context)
  } catch (error) {
    return Promise.reject(error)
  }
}

function runFrom(
  steps: readonly CompiledStep[],
  first: number,
  input: unknown,
  context: JourneyContext,
): Maybe<unknown> {
  let value = input
  for (let index = first; index < steps.length; index += 1) {
    const output = steps[index]?.(value, context)
    if (output instanceof Promise) {
      if (index + 1 === steps.length) return output
      return output.then((ready) => runFrom(steps, index + 1, ready, context))
    }
    value = output
  }
  return value
}

function stage(sink: MessageSink<never>): CompiledStep {
  return (value, context) => {
    try {
      const message = sink.message(value as never)
      if (context.staged === undefined) context.staged = [message]
      else context.staged.push(message)
    } catch (error) {
      throw new OperatorFailure(sink.name, 1, error)
    }
    return value
  }
}

function sinkOperator(sink: WritingSink<never>): Operator<never, unknown> {
  return {
    name: sink.name,
    concurrency: sink.concurrency ?? 1,
    process: (value, context) => sink.write(value, context),
  }
}

/** A sink that is down holds its records back: giving up on a good one would lose its verdict. */
function patient(parts: RunnerParts): RunnerParts {
  return { ...parts, retry: { ...parts.retry, attemptsMax: Number.POSITIVE_INFINITY } }
}
