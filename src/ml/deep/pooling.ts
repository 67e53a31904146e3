import type { Tape, Variable } from "./tape.ts"

/** The largest value of each channel over time: [batch, time, channels] to [batch, channels]. */
export function maxOverTime(tape: Tape, input: Variable): Variable {
  const axis = tape.integers(1)
  const name = tape.emit("ReduceMax", [input.name, axis], { keepdims: { int: 0 } })
  return tape.record({ name, rank: 2 }, (gradient) => {
    const largest = tape.emit("Unsqueeze", [name, axis])
    const chosen = tape.emit("Cast", [tape.emit("Equal", [input.name, largest])], {
      to: { int: FLOAT },
    })
    // Steps that tie share the gradient: whichever is moved, the maximum moves with it.
    const ties = tape.emit("ReduceSum", [chosen, axis], { keepdims: { int: 1 } })
    const shared = tape.emit("Div", [tape.emit("Unsqueeze", [gradient, axis]), ties])
    tape.accumulate(input, tape.emit("Mul", [chosen, shared]))
  })
}

/** TensorProto.DataType */
const FLOAT = 1
