import type { Tape, Variable } from "./tape.ts"

/** left + right, of equal shape. */
export function add(tape: Tape, left: Variable, right: Variable): Variable {
  const name = tape.emit("Add", [left.name, right.name])
  return tape.record({ name, rank: left.rank }, (gradient) => {
    tape.accumulate(left, gradient)
    tape.accumulate(right, gradient)
  })
}

/** input + bias, where the bias has the shape of the input's last axes. */
export function addBias(tape: Tape, input: Variable, bias: Variable): Variable {
  const name = tape.emit("Add", [input.name, bias.name])
  return tape.record({ name, rank: input.rank }, (gradient) => {
    tape.accumulate(input, gradient)
    tape.accumulate(bias, sumOverLeadingAxes(tape, { name: gradient, rank: input.rank }, bias.rank))
  })
}

export function relu(tape: Tape, input: Variable): Variable {
  const name = tape.emit("Relu", [input.name])
  return tape.record({ name, rank: input.rank }, (gradient) => {
    tape.accumulate(input, tape.emit("Mul", [gradient, tape.emit("Sign", [name])]))
  })
}

export function scale(tape: Tape, input: Variable, factor: number): Variable {
  const constant = tape.scalar(factor)
  const name = tape.emit("Mul", [input.name, constant])
  return tape.record({ name, rank: input.rank }, (gradient) => {
    tape.accumulate(input, tape.emit("Mul", [gradient, constant]))
  })
}

/** Sums all axes but the last `kept`: the reverse of broadcasting. */
export function sumOverLeadingAxes(tape: Tape, { name, rank }: Variable, kept: number): string {
  const axes = Array.from({ length: rank - kept }, (_, axis) => axis)
  if (axes.length === 0) return name
  return tape.emit("ReduceSum", [name, tape.integers(...axes)], { keepdims: { int: 0 } })
}
