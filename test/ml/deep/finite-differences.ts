import { expect } from "bun:test"
import { Tape, type Variable } from "../../../src/ml/deep/tape.ts"
import { encodeOnnx } from "../../../src/ml/onnx/encode.ts"
import type { OnnxValue } from "../../../src/ml/onnx/graph.ts"
import { type OnnxTensor, openOnnxSession } from "../../../src/ml/onnx/session.ts"

export interface Operand {
  readonly name: string
  readonly dims: readonly number[]
  readonly data: Float32Array
}

/** An operation under test: from operands by name to a scalar. */
export type Build = (tape: Tape, operands: Readonly<Record<string, Variable>>) => Variable

const STEP = 2e-3

/**
 * Compares the gradient that the tape writes with central differences of the forward pass, for
 * every element of every operand. Single precision leaves about three digits of a difference.
 */
export async function expectGradients(
  build: Build,
  operands: readonly Operand[],
  feeds: Readonly<Record<string, OnnxTensor>> = {},
): Promise<void> {
  const session = await openOnnxSession(encodeOnnx(graphOf(build, operands, feeds)))
  const run = async (changed: readonly Operand[]) =>
    session.run({ ...feeds, ...Object.fromEntries(changed.map(feedOf)) })
  const outputs = await run(operands)
  for (const operand of operands) {
    const gradient = outputs[`gradient_${operand.name}`]?.data as Float32Array
    expect(gradient.length).toBe(operand.data.length)
    for (let index = 0; index < operand.data.length; index++) {
      const [above, below] = await Promise.all(
        [STEP, -STEP].map(async (step) => {
          const data = operand.data.slice()
          data[index] = (data[index] ?? 0) + step
          const changed = operands.map((one) => (one === operand ? { ...one, data } : one))
          return Number((await run(changed)).loss?.data[0])
        }),
      )
      const measured = (Number(above) - Number(below)) / (2 * STEP)
      const tolerance = 2e-3 + 0.01 * Math.abs(measured)
      expect(Math.abs((gradient[index] ?? Number.NaN) - measured)).toBeLessThan(tolerance)
    }
  }
  await session.release()
}

function graphOf(
  build: Build,
  operands: readonly Operand[],
  feeds: Readonly<Record<string, OnnxTensor>>,
) {
  const tape = new Tape()
  const variables = operands.map(({ name, dims }) => [name, { name, rank: dims.length }] as const)
  const loss = build(tape, Object.fromEntries(variables))
  tape.backward(loss)
  const inputs: OnnxValue[] = [
    ...operands.map(({ name, dims }) => ({ name, type: "float" as const, dims })),
    ...Object.entries(feeds).map(([name, { type, dims }]) => ({
      name,
      type: type === "int64" ? ("int64" as const) : ("float" as const),
      dims,
    })),
  ]
  return {
    name: "gradient",
    opset: 18,
    nodes: [
      ...tape.nodes,
      { opType: "Identity", inputs: [loss.name], outputs: ["loss"] },
      ...variables.map(([name, variable]) => ({
        opType: "Identity",
        inputs: [tape.gradientOf(variable)],
        outputs: [`gradient_${name}`],
      })),
    ],
    initializers: tape.initializers,
    inputs,
    outputs: [
      { name: "loss", type: "float" as const, dims: [] },
      ...operands.map(({ name, dims }) => ({
        name: `gradient_${name}`,
        type: "float" as const,
        dims,
      })),
    ],
    metadata: {},
  }
}

function feedOf({ name, dims, data }: Operand): [string, OnnxTensor] {
  return [name, { type: "float32", dims, data }]
}

/** A scalar that every element of a tensor of `dims` has its own influence on. */
export function weightedSum(tape: Tape, input: Variable, dims: readonly number[]): Variable {
  const size = dims.reduce((product, dim) => product * dim, 1)
  const weights = tape.floats(
    dims,
    Float32Array.from({ length: size }, (_, index) => Math.sin(index + 1)),
  )
  const product = tape.emit("Mul", [input.name, weights])
  const name = tape.emit("ReduceSum", [product], { keepdims: { int: 0 } })
  return tape.record({ name, rank: 0 }, (gradient) => {
    tape.accumulate(input, tape.emit("Mul", [weights, gradient]))
  })
}

/** Values between -1 and 1, spread so that no two are within a step of each other or of zero. */
export function operand(name: string, dims: readonly number[], seed = 1): Operand {
  const size = dims.reduce((product, dim) => product * dim, 1)
  const data = Float32Array.from({ length: size }, (_, index) => {
    const place = ((index * 37 + seed * 11) % size) + 0.5
    return (2 * place) / size - 1
  })
  return { name, dims, data }
}
