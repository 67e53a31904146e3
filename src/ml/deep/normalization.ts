import { sumOverLeadingAxes } from "./elementwise.ts"
import type { Tape, Variable } from "./tape.ts"

const EPSILON = 1e-5

export interface NormParameters {
  /** [channels] */
  readonly gain: Variable
  /** [channels] */
  readonly bias: Variable
}

/**
 * Brings the channels of each step to mean 0 and variance 1, then scales and shifts them.
 *
 * @see Ba, Kiros, Hinton 2016, "Layer Normalization"
 */
export function layerNorm(tape: Tape, input: Variable, { gain, bias }: NormParameters): Variable {
  const [name = "", mean = "", inverseDeviation = ""] = tape.emitMany(3, {
    opType: "LayerNormalization",
    inputs: [input.name, gain.name, bias.name],
    attributes: { axis: { int: -1 }, epsilon: { float: EPSILON } },
  })
  return tape.record({ name, rank: input.rank }, (gradient) => {
    const centred = tape.emit("Sub", [input.name, mean])
    const normal = tape.emit("Mul", [centred, inverseDeviation])
    const byGain = { name: tape.emit("Mul", [gradient, normal]), rank: input.rank }
    tape.accumulate(gain, sumOverLeadingAxes(tape, byGain, 1))
    tape.accumulate(bias, sumOverLeadingAxes(tape, { name: gradient, rank: input.rank }, 1))
    const inner = tape.emit("Mul", [gradient, gain.name])
    const along = meanOfChannels(tape, tape.emit("Mul", [inner, normal]))
    const parallel = tape.emit("Mul", [normal, along])
    const constant = tape.emit("Sub", [inner, meanOfChannels(tape, inner)])
    const orthogonal = tape.emit("Sub", [constant, parallel])
    tape.accumulate(input, tape.emit("Mul", [orthogonal, inverseDeviation]))
  })
}

function meanOfChannels(tape: Tape, input: string): string {
  return tape.emit("ReduceMean", [input, tape.integers(-1)], { keepdims: { int: 1 } })
}
