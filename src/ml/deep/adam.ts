import type { Tape } from "./tape.ts"

const FIRST_DECAY = 0.9
const SECOND_DECAY = 0.999
const EPSILON = 1e-8
/** Gradients longer than it are shortened to it: one odd batch cannot throw the weights away. */
const GRADIENT_NORM_MAX = 1

export interface AdamState {
  readonly parameters: string
  readonly firstMoment: string
  readonly secondMoment: string
}

/**
 * One step of Adam with decoupled weight decay, on all parameters as one vector.
 *
 * `rate` and `decay` are the names of scalars: the step size with its bias correction
 * (`adamStepSize`), and the share of every parameter that is taken away.
 *
 * @see Kingma, Ba 2015, "Adam"; Loshchilov, Hutter 2019, "Decoupled Weight Decay Regularization"
 */
export function adamStep(
  tape: Tape,
  state: AdamState,
  { gradient, rate, decay }: { readonly gradient: string; rate: string; decay: string },
): AdamState {
  const clipped = clip(tape, gradient)
  const square = tape.emit("Mul", [clipped, clipped])
  const firstMoment = average(tape, [state.firstMoment, clipped], FIRST_DECAY)
  const secondMoment = average(tape, [state.secondMoment, square], SECOND_DECAY)
  const root = tape.emit("Add", [tape.emit("Sqrt", [secondMoment]), tape.scalar(EPSILON)])
  const step = tape.emit("Mul", [tape.emit("Div", [firstMoment, root]), rate])
  const decayed = tape.emit("Sub", [state.parameters, tape.emit("Mul", [state.parameters, decay])])
  return { parameters: tape.emit("Sub", [decayed, step]), firstMoment, secondMoment }
}

/** The learning rate corrected for moments that started at zero; `step` counts from 1. */
export function adamStepSize(learningRate: number, step: number): number {
  return (learningRate * Math.sqrt(1 - SECOND_DECAY ** step)) / (1 - FIRST_DECAY ** step)
}

function average(tape: Tape, [old, fresh]: readonly [string, string], share: number): string {
  const kept = tape.emit("Mul", [old, tape.scalar(share)])
  return tape.emit("Add", [kept, tape.emit("Mul", [fresh, tape.scalar(1 - share)])])
}

function clip(tape: Tape, gradient: string): string {
  const norm = tape.emit("ReduceL2", [gradient], { keepdims: { int: 0 } })
  const bounded = tape.emit("Max", [norm, tape.scalar(GRADIENT_NORM_MAX)])
  const factor = tape.emit("Div", [tape.scalar(GRADIENT_NORM_MAX), bounded])
  return tape.emit("Mul", [gradient, factor])
}
