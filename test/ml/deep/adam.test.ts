import { describe, expect, test } from "bun:test"
import { adamStep, adamStepSize } from "../../../src/ml/deep/adam.ts"
import { Tape } from "../../../src/ml/deep/tape.ts"
import { encodeOnnx } from "../../../src/ml/onnx/encode.ts"
import { type OnnxTensor, openOnnxSession } from "../../../src/ml/onnx/session.ts"

const VECTORS = ["parameters", "first", "second", "gradient"] as const

/** Goal: the graph does what the paper says. Method: the paper's algorithm 1 in plain TypeScript. */
describe("adamStep", () => {
  test("follows the algorithm of the paper over several steps, with decay", async () => {
    const session = await openOnnxSession(encodeOnnx(stepGraph()))
    const expected = { parameters: [0.5, -2], first: [0, 0], second: [0, 0] }
    let state = expected
    for (const [index, gradient] of [
      [0.3, -0.1],
      [-0.2, 0.4],
      [0.05, 0.6],
    ].entries()) {
      const step = index + 1
      const feeds = { ...state, gradient }
      const outputs = await session.run({
        ...Object.fromEntries(Object.entries(feeds).map(([name, data]) => [name, vector(data)])),
        rate: scalar(adamStepSize(0.1, step)),
        decay: scalar(0.01),
      })
      state = {
        parameters: Array.from(outputs.next_parameters?.data ?? [], Number),
        first: Array.from(outputs.next_first?.data ?? [], Number),
        second: Array.from(outputs.next_second?.data ?? [], Number),
      }
      for (const [place, slope] of gradient.entries()) {
        const first = 0.9 * (expected.first[place] ?? 0) + 0.1 * slope
        const second = 0.999 * (expected.second[place] ?? 0) + 0.001 * slope ** 2
        const corrected = first / (1 - 0.9 ** step) / Math.sqrt(second / (1 - 0.999 ** step))
        const parameter = 0.99 * (expected.parameters[place] ?? 0) - 0.1 * corrected
        expected.first[place] = first
        expected.second[place] = second
        expected.parameters[place] = parameter
        expect(state.parameters[place]).toBeCloseTo(parameter, 4)
      }
    }
    await session.release()
  })

  test("shortens a gradient that is longer than 1", async () => {
    const session = await openOnnxSession(encodeOnnx(stepGraph()))
    const zero = [0, 0]
    const outputs = await session.run({
      parameters: vector(zero),
      first: vector(zero),
      second: vector(zero),
      gradient: vector([300, 400]),
      rate: scalar(1),
      decay: scalar(0),
    })
    expect(outputs.next_first?.data[0]).toBeCloseTo(0.06, 6)
    expect(outputs.next_first?.data[1]).toBeCloseTo(0.08, 6)
    await session.release()
  })
})

function stepGraph() {
  const tape = new Tape()
  const next = adamStep(
    tape,
    { parameters: "parameters", firstMoment: "first", secondMoment: "second" },
    { gradient: "gradient", rate: "rate", decay: "decay" },
  )
  const answers = [
    [next.parameters, "next_parameters"],
    [next.firstMoment, "next_first"],
    [next.secondMoment, "next_second"],
  ] as const
  return {
    name: "adam",
    opset: 18,
    nodes: [
      ...tape.nodes,
      ...answers.map(([from, to]) => ({ opType: "Identity", inputs: [from], outputs: [to] })),
    ],
    initializers: tape.initializers,
    inputs: [
      ...VECTORS.map((name) => ({ name, type: "float" as const, dims: [2] })),
      { name: "rate", type: "float" as const, dims: [] },
      { name: "decay", type: "float" as const, dims: [] },
    ],
    outputs: answers.map(([, name]) => ({ name, type: "float" as const, dims: [2] })),
    metadata: {},
  }
}

function vector(data: readonly number[]): OnnxTensor {
  return { type: "float32", dims: [data.length], data: Float32Array.from(data) }
}

function scalar(value: number): OnnxTensor {
  return { type: "float32", dims: [], data: Float32Array.of(value) }
}
