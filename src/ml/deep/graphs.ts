import { PAYLOAD_CLASSES } from "../../events.ts"
import type { OnnxGraph } from "../onnx/graph.ts"
import { adamStep } from "./adam.ts"
import {
  byteTransformer,
  type TransformerShape,
  transformerParameters,
} from "./byte-transformer.ts"
import { crossEntropy } from "./cross-entropy.ts"
import { joinGradients, parameterCount, splitParameters } from "./parameters.ts"
import { Tape } from "./tape.ts"

const OPSET = 18
const CLASSES = PAYLOAD_CLASSES.length

const TEXT_INPUTS = [
  { name: "ids", type: "int64", dims: ["batch", "bytes", "grams"] },
  { name: "mask", type: "float", dims: ["batch", "tokens"] },
] as const

/**
 * A graph that does one training step: forward, backward and Adam.
 *
 * In: `ids`, `mask`, `targets` [batch, classes] (weight at the class), `parameters`,
 * `first_moment`, `second_moment` [parameterCount], scalars `rate` and `decay`. Out: `loss` (before
 * the step) and the three vectors after it, `next_` before their names.
 */
export function trainingGraph(shape: TransformerShape): OnnxGraph {
  const tape = new Tape()
  const specs = transformerParameters(shape)
  const parameters = splitParameters(tape, specs, "parameters")
  const logits = byteTransformer(tape, shape, { ids: "ids", mask: "mask", parameters })
  const loss = crossEntropy(tape, logits, "targets")
  tape.backward(loss)
  const next = adamStep(
    tape,
    { parameters: "parameters", firstMoment: "first_moment", secondMoment: "second_moment" },
    { gradient: joinGradients(tape, specs, parameters), rate: "rate", decay: "decay" },
  )
  const vector = { type: "float", dims: [parameterCount(specs)] } as const
  return {
    name: "payload_deep_training",
    opset: OPSET,
    nodes: [
      ...tape.nodes,
      identity(loss.name, "loss"),
      identity(next.parameters, "next_parameters"),
      identity(next.firstMoment, "next_first_moment"),
      identity(next.secondMoment, "next_second_moment"),
    ],
    initializers: tape.initializers,
    inputs: [
      ...TEXT_INPUTS,
      { name: "targets", type: "float", dims: ["batch", CLASSES] },
      { name: "parameters", ...vector },
      { name: "first_moment", ...vector },
      { name: "second_moment", ...vector },
      { name: "rate", type: "float", dims: [] },
      { name: "decay", type: "float", dims: [] },
    ],
    outputs: [
      { name: "loss", type: "float", dims: [] },
      { name: "next_parameters", ...vector },
      { name: "next_first_moment", ...vector },
      { name: "next_second_moment", ...vector },
    ],
    metadata: {},
  }
}

/**
 * The trained model. In: `ids`, `mask`. Out: `logits` and `probabilities` [batch, classes], the
 * latter at the temperature.
 */
export function inferenceGraph(options: {
  readonly shape: TransformerShape
  readonly parameters: Float32Array
  readonly temperature: number
  readonly metadata: Readonly<Record<string, string>>
}): OnnxGraph {
  const { shape, parameters, temperature, metadata } = options
  const tape = new Tape()
  const specs = transformerParameters(shape)
  const variables = splitParameters(tape, specs, "parameters")
  const logits = byteTransformer(tape, shape, { ids: "ids", mask: "mask", parameters: variables })
  const calibrated = tape.emit("Div", [logits.name, tape.scalar(temperature)])
  const probabilities = tape.emit("Softmax", [calibrated], { axis: { int: -1 } })
  return {
    name: "payload_deep",
    opset: OPSET,
    nodes: [
      ...tape.nodes,
      identity(logits.name, "logits"),
      identity(probabilities, "probabilities"),
    ],
    initializers: [
      ...tape.initializers,
      { name: "parameters", dims: [parameters.length], data: parameters },
    ],
    inputs: TEXT_INPUTS,
    outputs: [
      { name: "logits", type: "float", dims: ["batch", CLASSES] },
      { name: "probabilities", type: "float", dims: ["batch", CLASSES] },
    ],
    metadata,
  }
}

function identity(input: string, output: string) {
  return { opType: "Identity", inputs: [input], outputs: [output] }
}
