import type { Tape, Variable } from "./tape.ts"

/**
 * The mean over the batch of the weighted cross entropy.
 *
 * In: logits [batch, classes]; `targets` the name of a float [batch, classes] that holds each
 * row's weight at its class and 0 elsewhere. Out: a scalar.
 */
export function crossEntropy(tape: Tape, logits: Variable, targets: string): Variable {
  const logProbabilities = tape.emit("LogSoftmax", [logits.name], { axis: { int: -1 } })
  const likelihood = tape.emit("Mul", [logProbabilities, targets])
  const total = tape.emit("ReduceSum", [likelihood], { keepdims: { int: 0 } })
  const rows = tape.emit(
    "Cast",
    [tape.emit("Shape", [logits.name], { start: { int: 0 }, end: { int: 1 } })],
    { to: { int: 1 } },
  )
  const scalarRows = tape.emit("Squeeze", [rows])
  const name = tape.emit("Neg", [tape.emit("Div", [total, scalarRows])])
  return tape.record({ name, rank: 0 }, (gradient) => {
    const probabilities = tape.emit("Exp", [logProbabilities])
    const weights = tape.emit("ReduceSum", [targets, tape.integers(-1)], { keepdims: { int: 1 } })
    const expected = tape.emit("Mul", [probabilities, weights])
    const difference = tape.emit("Sub", [expected, targets])
    const factor = tape.emit("Div", [gradient, scalarRows])
    tape.accumulate(logits, tape.emit("Mul", [difference, factor]))
  })
}
