import { describe, expect, test } from "bun:test"
import { selfAttention, softmax } from "../../../src/ml/deep/attention.ts"
import { byteTransformer, transformerParameters } from "../../../src/ml/deep/byte-transformer.ts"
import { addPositions, unfold } from "../../../src/ml/deep/convolution.ts"
import { crossEntropy } from "../../../src/ml/deep/cross-entropy.ts"
import { add, addBias, relu, scale } from "../../../src/ml/deep/elementwise.ts"
import { embed } from "../../../src/ml/deep/embedding.ts"
import { multiply, multiplyBatches, reshape, transpose } from "../../../src/ml/deep/matrix.ts"
import { layerNorm } from "../../../src/ml/deep/normalization.ts"
import { sizeOf } from "../../../src/ml/deep/parameters.ts"
import { maxOverTime } from "../../../src/ml/deep/pooling.ts"
import { Tape, type Variable } from "../../../src/ml/deep/tape.ts"
import { encodeOnnx } from "../../../src/ml/onnx/encode.ts"
import { type OnnxTensor, openOnnxSession } from "../../../src/ml/onnx/session.ts"
import { Random } from "../../../src/ml/random.ts"
import {
  type Build,
  expectGradients,
  type Operand,
  operand,
  weightedSum,
} from "./finite-differences.ts"

/** Goal: every reverse pass is right. Method: central differences of the forward pass itself. */

const LEFT = operand("left", [2, 3, 4])
const none = { name: "", rank: 0 }

function summed(
  dims: readonly number[],
  operation: (tape: Tape, operands: Record<string, Variable>) => Variable,
): Build {
  return (tape, operands) => weightedSum(tape, operation(tape, operands), dims)
}

describe("gradients agree with finite differences", () => {
  test("add, of a variable and itself", async () => {
    const build = summed([2, 3, 4], (tape, { left = none }) => add(tape, left, left))
    await expectGradients(build, [LEFT])
  })

  test("addBias sums over the axes that it broadcasts", async () => {
    const build = summed([2, 3, 4], (tape, { left = none, bias = none }) =>
      addBias(tape, left, bias),
    )
    await expectGradients(build, [LEFT, operand("bias", [4])])
  })

  test("relu and scale", async () => {
    const build = summed([2, 3, 4], (tape, { left = none }) => scale(tape, relu(tape, left), -0.7))
    await expectGradients(build, [LEFT])
  })

  test("multiply, by weights", async () => {
    const build = summed([2, 3, 5], (tape, { left = none, weights = none }) =>
      multiply(tape, left, weights),
    )
    await expectGradients(build, [LEFT, operand("weights", [4, 5], 3)])
  })

  test("multiplyBatches, transpose and reshape", async () => {
    const build = summed([6, 3], (tape, { left = none, right = none }) => {
      const product = multiplyBatches(tape, left, transpose(tape, right, [0, 2, 1]))
      return reshape(tape, product, [-1, 3])
    })
    await expectGradients(build, [LEFT, operand("right", [2, 3, 4], 5)])
  })

  test("unfold", async () => {
    const build = summed([2, 3, 12], (tape, { left = none }) => unfold(tape, left, 3))
    await expectGradients(build, [LEFT])
  })

  test("addPositions, of a table with more rows than there are steps", async () => {
    const build = summed([2, 3, 4], (tape, { left = none, table = none }) =>
      addPositions(tape, left, table),
    )
    await expectGradients(build, [LEFT, operand("table", [5, 4])])
  })

  test("embed, where a row occurs more than once", async () => {
    const ids = { type: "int64", dims: [1, 2, 2], data: BigInt64Array.of(0n, 2n, 2n, 2n) } as const
    const build = summed([1, 2, 4], (tape, { table = none }) =>
      embed(tape, table, { ids: "ids", dims: [3, 4] }),
    )
    await expectGradients(build, [operand("table", [3, 4])], { ids })
  })

  test("layerNorm", async () => {
    const build = summed([2, 3, 4], (tape, { left = none, gain = none, bias = none }) =>
      layerNorm(tape, left, { gain, bias }),
    )
    await expectGradients(build, [LEFT, operand("gain", [4]), operand("bias", [4], 2)])
  })

  test("softmax", async () => {
    const build = summed([2, 3, 4], (tape, { left = none }) => softmax(tape, left))
    await expectGradients(build, [LEFT])
  })

  test("selfAttention with two heads and a masked step", async () => {
    const names = ["query", "key", "value", "output"] as const
    const mask: OnnxTensor = {
      type: "float32",
      dims: [2, 1, 1, 3],
      data: Float32Array.of(0, 0, 0, 0, 0, -1e4),
    }
    const build = summed([2, 3, 4], (tape, operands) => {
      const { left = none, query = none, key = none, value = none } = operands
      const { output = none, outputBias = none } = operands
      const parameters = { query, key, value, output, outputBias }
      return selfAttention(tape, left, { heads: 2, channels: 4, mask: "mask", parameters })
    })
    const weights = names.map((name, index) => operand(name, [4, 4], index + 2))
    await expectGradients(build, [LEFT, ...weights, operand("outputBias", [4])], { mask })
  })

  test("maxOverTime", async () => {
    const build = summed([2, 4], (tape, { left = none }) => maxOverTime(tape, left))
    await expectGradients(build, [LEFT])
  })

  test("crossEntropy with weighted rows", async () => {
    const targets: OnnxTensor = {
      type: "float32",
      dims: [3, 4],
      data: Float32Array.of(0, 2, 0, 0, 0.5, 0, 0, 0, 0, 0, 0, 1),
    }
    const build: Build = (tape, { logits = none }) => crossEntropy(tape, logits, "targets")
    await expectGradients(build, [operand("logits", [3, 4])], { targets })
  })

  test("byteTransformer, whole: every parameter of a tiny one", async () => {
    const shape = {
      ...{ vocabulary: 6, byteChannels: 2, channels: 4, hidden: 4, heads: 2, blocks: 1 },
      tokensMax: 3,
    }
    const specs = transformerParameters(shape)
    // Larger than starting values are: a norm of nearly equal channels bends too much to measure.
    const random = new Random(3)
    const operands = specs.map(({ name, dims }) => {
      const data = Float32Array.from({ length: sizeOf(dims) }, () => 1.6 * random.next() - 0.8)
      return { name, dims, data }
    })
    const ids: OnnxTensor = {
      type: "int64",
      dims: [2, 8, 1],
      data: BigInt64Array.from({ length: 16 }, (_, index) => BigInt((index * 5) % 6)),
    }
    const mask: OnnxTensor = { type: "float32", dims: [2, 2], data: Float32Array.of(0, 0, 0, -1e4) }
    const targets: OnnxTensor = {
      type: "float32",
      dims: [2, 6],
      data: Float32Array.of(0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2),
    }
    const build: Build = (tape, variables) => {
      const parameters = new Map(Object.entries(variables))
      const logits = byteTransformer(tape, shape, { ids: "ids", mask: "mask", parameters })
      return crossEntropy(tape, logits, "targets")
    }
    await expectGradients(build, operands, { ids, mask, targets })
  })
})

describe("Tape", () => {
  test("maxOverTime shares a gradient among steps that tie", async () => {
    const tied = { name: "left", dims: [1, 2, 1], data: Float32Array.of(3, 3) }
    const tape = new Tape()
    const input = { name: "left", rank: 3 }
    tape.backward(weightedSum(tape, maxOverTime(tape, input), [1, 1]))
    expect(await evaluate(tape, tape.gradientOf(input), tied)).toEqual([
      Math.fround(Math.sin(1)) / 2,
      Math.fround(Math.sin(1)) / 2,
    ])
  })

  test("gradientOf refuses a variable that the loss does not depend on", () => {
    const tape = new Tape()
    tape.backward({ name: "loss", rank: 0 })
    expect(() => tape.gradientOf({ name: "other", rank: 1 })).toThrow(RangeError)
  })
})

async function evaluate(tape: Tape, output: string, { name, dims, data }: Operand) {
  const graph = {
    name: "evaluate",
    opset: 18,
    nodes: [...tape.nodes, { opType: "Identity", inputs: [output], outputs: ["answer"] }],
    initializers: tape.initializers,
    inputs: [{ name, type: "float" as const, dims }],
    outputs: [{ name: "answer", type: "float" as const, dims }],
    metadata: {},
  }
  const session = await openOnnxSession(encodeOnnx(graph))
  const { answer } = await session.run({ [name]: { type: "float32", dims, data } })
  await session.release()
  return Array.from(answer?.data ?? [], Number)
}
