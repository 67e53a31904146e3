import type { BranchArm, Dataflow, ParallelArm, Step } from "./dataflow.ts"
import { OperatorFailure } from "./failures.ts"
import { OperatorRunner, type RunnerParts } from "./run-operator.ts"
import type { Operator, OperatorContext, Sink } from "./types.ts"

/** Carries a value through every step of a flow; shared by all records, so limits are the flow's. */
export class Executor {
  readonly #steps: readonly Step[]
  readonly #parts: RunnerParts
  readonly runners = new Map<string, OperatorRunner>()

  /** @throws Error if two steps share a name: counters and topology are told apart by it */
  constructor(flow: Dataflow<never, unknown>, parts: RunnerParts) {
    this.#steps = flow.steps
    this.#parts = parts
    this.#prepare(flow.steps)
  }

  /** @throws OperatorFailure, or the signal's reason once the record is abandoned */
  run(value: unknown, context: OperatorContext): Promise<unknown> {
    return this.#runSteps(this.#steps, value, context)
  }

  async #runSteps(steps: readonly Step[], input: unknown, context: OperatorContext) {
    let value = input
    for (const step of steps) value = await this.#runStep(step, value, context)
    return value
  }

  async #runStep(step: Step, value: unknown, context: OperatorContext): Promise<unknown> {
    switch (step.kind) {
      case "operator":
        return this.#runner(step.operator.name).run(value, context)
      case "sink":
        await this.#runner(step.sink.name).run(value, context)
        return value
      case "parallel":
        return { ...(value as object), [step.name]: await this.#join(step.arms, value, context) }
      case "branch":
        return this.#runSteps(pickArm(step, value).steps, value, context)
    }
  }

  async #join(arms: readonly ParallelArm[], value: unknown, context: OperatorContext) {
    const outputs = await Promise.all(
      arms.map(async (arm) => [arm.name, await this.#runArm(arm, value, context)] as const),
    )
    return Object.fromEntries(outputs)
  }

  async #runArm({ operator }: ParallelArm, value: unknown, context: OperatorContext) {
    try {
      return await this.#runner(operator.name).run(value, context)
    } catch (error) {
      if (operator.onFailure !== "degraded" || !(error instanceof OperatorFailure)) throw error
      return { failed: error.code }
    }
  }

  #runner(name: string): OperatorRunner {
    const runner = this.runners.get(name)
    if (runner === undefined) throw new Error(`flow has no step ${name}`)
    return runner
  }

  #prepare(steps: readonly Step[]): void {
    for (const step of steps) {
      if (step.kind === "operator") this.#add(step.operator, this.#parts)
      else if (step.kind === "parallel") {
        for (const arm of step.arms) this.#add(arm.operator, this.#parts)
      } else if (step.kind === "branch") for (const arm of step.arms) this.#prepare(arm.steps)
      else this.#add(sinkOperator(step.sink), patient(this.#parts))
    }
  }

  #add(operator: Operator<never, unknown>, parts: RunnerParts): void {
    if (this.runners.has(operator.name)) throw new Error(`two steps are named ${operator.name}`)
    this.runners.set(operator.name, new OperatorRunner(operator, parts))
  }
}

function pickArm(step: Extract<Step, { kind: "branch" }>, value: unknown): BranchArm {
  const word = step.select(value as never)
  const arm = step.arms.find((candidate) => candidate.name === word)
  if (arm === undefined) throw new Error(`branch ${step.name} has no arm for its value`)
  return arm
}

function sinkOperator(sink: Sink<never>): Operator<never, unknown> {
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
