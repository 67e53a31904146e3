import { sumOverLeadingAxes } from "./elementwise.ts"
import type { Tape, Variable } from "./tape.ts"

/**
 * Lays the neighbours of each step beside it, zeros beyond the ends: [batch, time, channels] to
 * [batch, time, width * channels], `width` odd. A product with weights then is a convolution.
 */
export function unfold(tape: Tape, input: Variable, width: number): Variable {
  const reach = (width - 1) / 2
  const offsets = Array.from({ length: width }, (_, index) => index - reach)
  const shifted = offsets.map((offset) => shift(tape, input.name, offset))
  const name = tape.emit("Concat", shifted, { axis: { int: 2 } })
  return tape.record({ name, rank: 3 }, (gradient) => {
    const parts = tape.emitMany(width, {
      opType: "Split",
      inputs: [gradient],
      attributes: { axis: { int: 2 }, num_outputs: { int: width } },
    })
    for (const [index, offset] of offsets.entries()) {
      tape.accumulate(input, shift(tape, parts[index] ?? "", -offset))
    }
  })
}

/** Step t of the result is step t + offset of the input, zero where there is none. */
function shift(tape: Tape, input: string, offset: number): string {
  if (offset === 0) return input
  return tape.emit("Pad", [input, tape.integers(0, -offset, 0, 0, offset, 0)])
}

/** Adds row t of `table` [steps, channels] to step t of the input; time may be shorter than it. */
export function addPositions(tape: Tape, input: Variable, table: Variable): Variable {
  const time = tape.emit("Shape", [input.name], { start: { int: 1 }, end: { int: 2 } })
  const axis = tape.integers(0)
  const rows = tape.emit("Slice", [table.name, tape.integers(0), time, axis])
  const name = tape.emit("Add", [input.name, rows])
  return tape.record({ name, rank: 3 }, (gradient) => {
    tape.accumulate(input, gradient)
    const sum = sumOverLeadingAxes(tape, { name: gradient, rank: 3 }, 2)
    const steps = tape.emit("Shape", [table.name], { start: { int: 0 }, end: { int: 1 } })
    const missing = tape.emit("Sub", [steps, time])
    const pads = tape.emit("Concat", [tape.integers(0, 0), missing, tape.integers(0)], {
      axis: { int: 0 },
    })
    tape.accumulate(table, tape.emit("Pad", [sum, pads]))
  })
}
