import { addBias, scale } from "./elementwise.ts"
import { multiply, multiplyBatches, reshape, transpose } from "./matrix.ts"
import type { Tape, Variable } from "./tape.ts"

export interface AttentionParameters {
  /** Weights [channels, channels] of the four projections; only the last one has a bias. */
  readonly query: Variable
  readonly key: Variable
  readonly value: Variable
  readonly output: Variable
  readonly outputBias: Variable
}

export interface AttentionOptions {
  readonly heads: number
  readonly channels: number
  /** Name of a float [batch, 1, 1, time]: 0 where a step may be attended to, else very negative. */
  readonly mask: string
  readonly parameters: AttentionParameters
}

/**
 * Multi-head self-attention over [batch, time, channels]; result of the same shape.
 *
 * @see Vaswani et al. 2017, "Attention Is All You Need", section 3.2
 */
export function selfAttention(tape: Tape, input: Variable, options: AttentionOptions): Variable {
  const { channels, heads, mask, parameters } = options
  const width = channels / heads
  const byHead = (weights: Variable, perm: readonly number[]) =>
    transpose(tape, reshape(tape, multiply(tape, input, weights), [0, 0, heads, width]), perm)
  const query = byHead(parameters.query, [0, 2, 1, 3])
  const keyTransposed = byHead(parameters.key, [0, 2, 3, 1])
  const value = byHead(parameters.value, [0, 2, 1, 3])
  const scores = scale(tape, multiplyBatches(tape, query, keyTransposed), 1 / Math.sqrt(width))
  const weights = softmax(tape, addConstant(tape, scores, mask))
  const mixed = transpose(tape, multiplyBatches(tape, weights, value), [0, 2, 1, 3])
  const joined = reshape(tape, mixed, [0, 0, channels])
  return addBias(tape, multiply(tape, joined, parameters.output), parameters.outputBias)
}

/** input + something that no gradient is wanted for. */
export function addConstant(tape: Tape, input: Variable, constant: string): Variable {
  const name = tape.emit("Add", [input.name, constant])
  return tape.record({ name, rank: input.rank }, (gradient) => tape.accumulate(input, gradient))
}

/** Softmax over the last axis. */
export function softmax(tape: Tape, input: Variable): Variable {
  const name = tape.emit("Softmax", [input.name], { axis: { int: -1 } })
  return tape.record({ name, rank: input.rank }, (gradient) => {
    const product = tape.emit("Mul", [gradient, name])
    const sum = tape.emit("ReduceSum", [product, tape.integers(-1)], { keepdims: { int: 1 } })
    const projected = tape.emit("Mul", [name, sum])
    tape.accumulate(input, tape.emit("Sub", [product, projected]))
  })
}
