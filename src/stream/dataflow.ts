import type { Operator, Sink } from "./types.ts"

/**
 * One step of a flow with its types erased: `never` in and `unknown` out accept every operator.
 * The builder below has checked the order already.
 */
export type Step =
  | {
      readonly kind: "operator"
      readonly operator: Operator<never, unknown>
      /** What it does by itself, in steps; for the picture alone. */
      readonly inside?: readonly Step[]
    }
  | { readonly kind: "parallel"; readonly name: string; readonly arms: readonly ParallelArm[] }
  | {
      readonly kind: "branch"
      readonly name: string
      readonly select: (value: never) => string
      readonly arms: readonly BranchArm[]
    }
  | { readonly kind: "sink"; readonly sink: Sink<never> }

export interface ParallelArm {
  readonly name: string
  readonly operator: Operator<never, unknown>
}

export interface BranchArm {
  readonly name: string
  readonly steps: readonly Step[]
}

/** What stands in for the output of a parallel arm that failed and may be missing. */
export interface ArmFailure {
  /** The public code of its error. */
  readonly failed: string
}

type Operators<In> = Readonly<Record<string, Operator<In, unknown>>>
type ArmOutputs<Arms> = {
  readonly [Name in keyof Arms]:
    | (Arms[Name] extends Operator<never, infer Out> ? Out : never)
    | ArmFailure
}

/**
 * A flow from `In` to `Out`, built step by step and immutable: a step out of order, or a branch
 * without one of its arms, does not compile.
 */
export class Dataflow<In, Out> {
  readonly name: string
  readonly steps: readonly Step[]

  private constructor(name: string, steps: readonly Step[]) {
    this.name = name
    this.steps = steps
  }

  static named<In>(name: string): Dataflow<In, In> {
    return new Dataflow<In, In>(name, [])
  }

  /** @param inside the flow that the operator runs by itself: `topology` draws its steps */
  via<Next>(operator: Operator<Out, Next>, inside?: Dataflow<Out, Next>): Dataflow<In, Next> {
    return this.#then({ kind: "operator", operator, ...(inside && { inside: inside.steps }) })
  }

  /** Goes on with the steps of another flow. */
  through<Next>(flow: Dataflow<Out, Next>): Dataflow<In, Next> {
    return new Dataflow<In, Next>(this.name, [...this.steps, ...flow.steps])
  }

  /**
   * Runs every arm on the same value at once; their outputs join it under `name`.
   * A failed arm dead-letters the record, or, where it says `onFailure: "degraded"`, leaves an
   * ArmFailure in its place.
   */
  parallel<Name extends string, Arms extends Operators<Out>>(
    name: Name,
    arms: Arms,
  ): Dataflow<In, Out & { readonly [N in Name]: ArmOutputs<Arms> }> {
    const list = Object.entries(arms).map(([arm, operator]) => ({ name: arm, operator }))
    return this.#then({ kind: "parallel", name, arms: list })
  }

  /** Sends each value down the arm that `select` names; all arms end in the same type. */
  branch<Word extends string, Next>(
    name: string,
    select: (value: Out) => Word,
    arms: { readonly [W in Word]: (stream: Dataflow<Out, Out>) => Dataflow<Out, Next> },
  ): Dataflow<In, Next> {
    const build = Object.entries(arms) as [Word, (typeof arms)[Word]][]
    const list = build.map(([word, arm]) => ({
      name: word,
      steps: arm(Dataflow.named<Out>(`${name}.${word}`)).steps,
    }))
    return this.#then({ kind: "branch", name, select, arms: list })
  }

  /** Sinks are written in the order in which they stand; the value goes on unchanged. */
  to(sink: Sink<Out>): Dataflow<In, Out> {
    return this.#then({ kind: "sink", sink })
  }

  #then<Next>(step: Step): Dataflow<In, Next> {
    return new Dataflow<In, Next>(this.name, [...this.steps, step])
  }
}

/** Every operator and sink of the steps, in reading order. */
export function* leaves(steps: readonly Step[]): Generator<Operator<never, unknown> | Sink<never>> {
  for (const step of steps) {
    if (step.kind === "operator") yield step.operator
    else if (step.kind === "sink") yield step.sink
    else if (step.kind === "parallel") yield* step.arms.map((arm) => arm.operator)
    else for (const arm of step.arms) yield* leaves(arm.steps)
  }
}
