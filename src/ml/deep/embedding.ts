import type { Tape, Variable } from "./tape.ts"

/**
 * The sum of the rows of a table that stand at each step.
 *
 * In: table [rows, channels]; `ids` the name of an int64 [batch, time, grams]. Out: [batch, time,
 * channels].
 */
export function embed(
  tape: Tape,
  table: Variable,
  { ids, dims }: { readonly ids: string; readonly dims: readonly [number, number] },
): Variable {
  const gathered = tape.emit("Gather", [table.name, ids])
  const axis = tape.integers(2)
  const name = tape.emit("ReduceSum", [gathered, axis], { keepdims: { int: 0 } })
  return tape.record({ name, rank: 3 }, (gradient) => {
    const spread = tape.emit("Unsqueeze", [gradient, axis])
    const each = tape.emit("Expand", [spread, tape.emit("Shape", [gathered])])
    const updates = tape.emit("Reshape", [each, tape.integers(-1, dims[1])])
    const rows = tape.emit("Reshape", [ids, tape.integers(-1, 1)])
    const zeros = tape.emit("ConstantOfShape", [tape.integers(...dims)])
    const inputs = [zeros, rows, updates]
    tape.accumulate(table, tape.emit("ScatterND", inputs, { reduction: { string: "add" } }))
  })
}
