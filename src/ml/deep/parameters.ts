import type { Random } from "../random.ts"
import type { Tape, Variable } from "./tape.ts"

/** One tensor of the model; `deviation` is that of its normal starting values, `mean` theirs. */
export interface ParameterSpec {
  readonly name: string
  readonly dims: readonly number[]
  readonly mean?: number
  readonly deviation?: number
}

/** How many numbers a model has. */
export function parameterCount(specs: readonly ParameterSpec[]): number {
  return specs.reduce((total, { dims }) => total + sizeOf(dims), 0)
}

/** Starting values of all parameters, one after the other in the order of the specs. */
export function initialParameters(specs: readonly ParameterSpec[], random: Random): Float32Array {
  const values = new Float32Array(parameterCount(specs))
  let at = 0
  for (const { dims, mean = 0, deviation = 0 } of specs) {
    for (const end = at + sizeOf(dims); at < end; at++) {
      values[at] = deviation === 0 ? mean : mean + deviation * gaussian(random)
    }
  }
  return values
}

/** Cuts the one vector `name` that holds all parameters into its tensors, by their names. */
export function splitParameters(
  tape: Tape,
  specs: readonly ParameterSpec[],
  name: string,
): ReadonlyMap<string, Variable> {
  const sizes = tape.integers(...specs.map(({ dims }) => sizeOf(dims)))
  const parts = tape.emitMany(specs.length, {
    opType: "Split",
    inputs: [name, sizes],
    attributes: { axis: { int: 0 } },
  })
  return new Map(
    specs.map((spec, index) => {
      const shape = tape.integers(...spec.dims)
      const tensor = tape.emit("Reshape", [parts[index] ?? "", shape])
      return [spec.name, { name: tensor, rank: spec.dims.length }]
    }),
  )
}

/** The gradients of all parameters as one vector in the order of the specs. */
export function joinGradients(
  tape: Tape,
  specs: readonly ParameterSpec[],
  variables: ReadonlyMap<string, Variable>,
): string {
  const flat = tape.integers(-1)
  const parts = specs.map(({ name }) => {
    const variable = variables.get(name)
    if (variable === undefined) throw new RangeError(`joinGradients: no parameter ${name}`)
    return tape.emit("Reshape", [tape.gradientOf(variable), flat])
  })
  return tape.emit("Concat", parts, { axis: { int: 0 } })
}

export function sizeOf(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1)
}

/** Standard normal, by Box and Muller. */
function gaussian(random: Random): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random.next()))
  return radius * Math.cos(2 * Math.PI * random.next())
}
