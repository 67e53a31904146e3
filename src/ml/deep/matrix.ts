import type { Tape, Variable } from "./tape.ts"

/** input [..., in] . weights [in, out] = [..., out]. */
export function multiply(tape: Tape, input: Variable, weights: Variable): Variable {
  const name = tape.emit("MatMul", [input.name, weights.name])
  return tape.record({ name, rank: input.rank }, (gradient) => {
    const transposed = tape.emit("Transpose", [weights.name], { perm: { ints: [1, 0] } })
    tape.accumulate(input, tape.emit("MatMul", [gradient, transposed]))
    const [inputRows, gradientRows] = [input.name, gradient].map((tensor) =>
      tape.emit("Flatten", [tensor], { axis: { int: input.rank - 1 } }),
    ) as [string, string]
    const inputs = [inputRows, gradientRows]
    tape.accumulate(weights, tape.emit("Gemm", inputs, { transA: { int: 1 } }))
  })
}

/**
 * left [..., n, k] . right [..., k, m], one product for each index of the leading axes, which must
 * be equal.
 */
export function multiplyBatches(tape: Tape, left: Variable, right: Variable): Variable {
  const name = tape.emit("MatMul", [left.name, right.name])
  const perm = swapLast(left.rank)
  return tape.record({ name, rank: left.rank }, (gradient) => {
    const rightTransposed = tape.emit("Transpose", [right.name], { perm: { ints: perm } })
    tape.accumulate(left, tape.emit("MatMul", [gradient, rightTransposed]))
    const leftTransposed = tape.emit("Transpose", [left.name], { perm: { ints: perm } })
    tape.accumulate(right, tape.emit("MatMul", [leftTransposed, gradient]))
  })
}

/** Reorders the axes: axis `i` of the result is axis `perm[i]` of the input. */
export function transpose(tape: Tape, input: Variable, perm: readonly number[]): Variable {
  const name = tape.emit("Transpose", [input.name], { perm: { ints: perm } })
  const inverse = perm.map((_, axis) => perm.indexOf(axis))
  return tape.record({ name, rank: input.rank }, (gradient) => {
    tape.accumulate(input, tape.emit("Transpose", [gradient], { perm: { ints: inverse } }))
  })
}

/** The same elements in another shape; 0 copies an axis, one -1 is whatever remains. */
export function reshape(tape: Tape, input: Variable, dims: readonly number[]): Variable {
  const name = tape.emit("Reshape", [input.name, tape.integers(...dims)])
  return tape.record({ name, rank: dims.length }, (gradient) => {
    const shape = tape.emit("Shape", [input.name])
    tape.accumulate(input, tape.emit("Reshape", [gradient, shape]))
  })
}

function swapLast(rank: number): readonly number[] {
  const perm = Array.from({ length: rank }, (_, axis) => axis)
  return [...perm.slice(0, -2), rank - 1, rank - 2]
}
