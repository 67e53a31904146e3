import { describe, expect, test } from "bun:test"
import { ModelRefusedError } from "../../../src/errors.ts"
import { decodeOnnx } from "../../../src/ml/onnx/decode.ts"
import { encodeOnnx } from "../../../src/ml/onnx/encode.ts"
import type { OnnxGraph } from "../../../src/ml/onnx/graph.ts"
import { openOnnxSession } from "../../../src/ml/onnx/session.ts"

/** y = Gather(weights, index) scaled and summed by row: the shape of the payload model. */
const SUM_BY_ROW: OnnxGraph = {
  name: "sum_by_row",
  opset: 18,
  nodes: [
    { opType: "Cast", inputs: ["half"], outputs: ["table"], attributes: { to: { int: 1 } } },
    {
      opType: "Gather",
      inputs: ["table", "index"],
      outputs: ["picked"],
      attributes: { axis: { int: 0 } },
    },
    {
      opType: "ScatterND",
      inputs: ["zeros", "row", "picked"],
      outputs: ["sum"],
      attributes: { reduction: { string: "add" } },
    },
    { opType: "Softmax", inputs: ["sum"], outputs: ["y"], attributes: { axis: { int: -1 } } },
  ],
  initializers: [
    { name: "half", dims: [3, 2], data: Float16Array.from([0, 1, 2, 4, -1, 0.5]) },
    { name: "zeros", dims: [2, 2], data: new Float32Array(4) },
  ],
  inputs: [
    { name: "index", type: "int64", dims: ["n"] },
    { name: "row", type: "int64", dims: ["n", 1] },
  ],
  outputs: [{ name: "y", type: "float", dims: [2, 2] }],
  metadata: { classes: "a,b", "hash seed": "7", greek: "αβγ" },
}

describe("encodeOnnx", () => {
  test("writes a graph that ONNX Runtime runs to the expected numbers", async () => {
    const session = await openOnnxSession(encodeOnnx(SUM_BY_ROW))
    const outputs = await session.run({
      index: { type: "int64", dims: [3], data: BigInt64Array.of(0n, 1n, 2n) },
      row: { type: "int64", dims: [3, 1], data: BigInt64Array.of(0n, 0n, 1n) },
    })
    await session.release()
    const y = [...(outputs.y?.data ?? [])].map(Number)
    const first = 1 / (1 + Math.exp(5 - 2))
    const second = 1 / (1 + Math.exp(0.5 - -1))
    for (const [i, expected] of [first, 1 - first, second, 1 - second].entries()) {
      expect(y[i]).toBeCloseTo(expected, 6)
    }
  })

  test("writes the same bytes whatever the order of the metadata", () => {
    const shuffled = { greek: "αβγ", "hash seed": "7", classes: "a,b" }
    expect(encodeOnnx({ ...SUM_BY_ROW, metadata: shuffled })).toEqual(encodeOnnx(SUM_BY_ROW))
  })

  test("writes ai.onnx.ml nodes that ONNX Runtime runs", async () => {
    const stump = encodeOnnx(treeStump())
    const session = await openOnnxSession(stump)
    const x = Float32Array.of(0.25, 0.75)
    const outputs = await session.run({ x: { type: "float32", dims: [2, 1], data: x } })
    await session.release()
    expect([...(outputs.y?.data ?? [])].map(Number)).toEqual([10, 20])
    expect(decodeOnnx(stump)).toEqual(treeStump())
  })
})

describe("decodeOnnx", () => {
  test("reads back what encodeOnnx wrote", () => {
    expect(decodeOnnx(encodeOnnx(SUM_BY_ROW))).toEqual(SUM_BY_ROW)
  })

  test("keeps every attribute kind and element type", () => {
    const graph: OnnxGraph = {
      ...SUM_BY_ROW,
      nodes: [
        {
          opType: "Anything",
          domain: "ai.onnx.ml",
          inputs: [],
          outputs: ["y"],
          attributes: {
            a: { int: -3 },
            b: { float: 0.5 },
            c: { string: "x" },
            d: { ints: [1, -2, 2 ** 40] },
            e: { floats: [0.25, -1] },
            f: { strings: ["", "y"] },
          },
        },
      ],
      initializers: [
        { name: "f64", dims: [1], data: Float64Array.of(Math.PI) },
        { name: "i8", dims: [2], data: Int8Array.of(-1, 5) },
        { name: "u8", dims: [2], data: Uint8Array.of(1, 255) },
        { name: "i32", dims: [1], data: Int32Array.of(-7) },
        { name: "i64", dims: [1], data: BigInt64Array.of(-(2n ** 60n)) },
      ],
    }
    expect(decodeOnnx(encodeOnnx(graph))).toEqual(graph)
  })

  test("refuses truncated and foreign bytes with ModelRefusedError", () => {
    const bytes = encodeOnnx(SUM_BY_ROW)
    for (const length of [0, 1, 7, 40, bytes.length - 1]) {
      expect(() => decodeOnnx(bytes.subarray(0, length))).toThrow(ModelRefusedError)
    }
    expect(() => decodeOnnx(new TextEncoder().encode("not a model"))).toThrow(ModelRefusedError)
  })

  test("refuses a tensor that does not fill its shape", () => {
    const initializers = [{ name: "w", dims: [3], data: Float32Array.of(1, 2) }]
    expect(() => decodeOnnx(encodeOnnx({ ...SUM_BY_ROW, initializers }))).toThrow("shape")
  })
})

describe("openOnnxSession", () => {
  test("refuses bytes that are no model with ModelRefusedError", async () => {
    await expect(openOnnxSession(Uint8Array.of(1, 2, 3))).rejects.toBeInstanceOf(ModelRefusedError)
  })
})

function treeStump(): OnnxGraph {
  return {
    name: "stump",
    opset: 18,
    mlOpset: 3,
    nodes: [
      {
        opType: "TreeEnsembleRegressor",
        domain: "ai.onnx.ml",
        inputs: ["x"],
        outputs: ["y"],
        attributes: {
          n_targets: { int: 1 },
          nodes_falsenodeids: { ints: [2, 0, 0] },
          nodes_featureids: { ints: [0, 0, 0] },
          nodes_modes: { strings: ["BRANCH_LEQ", "LEAF", "LEAF"] },
          nodes_nodeids: { ints: [0, 1, 2] },
          nodes_treeids: { ints: [0, 0, 0] },
          nodes_truenodeids: { ints: [1, 0, 0] },
          nodes_values: { floats: [0.5, 0, 0] },
          target_ids: { ints: [0, 0] },
          target_nodeids: { ints: [1, 2] },
          target_treeids: { ints: [0, 0] },
          target_weights: { floats: [10, 20] },
        },
      },
    ],
    initializers: [],
    inputs: [{ name: "x", type: "float", dims: ["batch", 1] }],
    outputs: [{ name: "y", type: "float", dims: ["batch", 1] }],
    metadata: {},
  }
}
