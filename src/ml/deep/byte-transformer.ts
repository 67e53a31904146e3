import { PAYLOAD_CLASSES } from "../../events.ts"
import { addConstant, selfAttention } from "./attention.ts"
import { addPositions, unfold } from "./convolution.ts"
import { add, addBias, relu } from "./elementwise.ts"
import { embed } from "./embedding.ts"
import { multiply, reshape } from "./matrix.ts"
import { layerNorm } from "./normalization.ts"
import type { ParameterSpec } from "./parameters.ts"
import { maxOverTime } from "./pooling.ts"
import type { Tape, Variable } from "./tape.ts"

/** The sizes of a byte-level transformer; all are counts. */
export interface TransformerShape {
  /** Rows of the table of bytes and hashed grams. */
  readonly vocabulary: number
  readonly byteChannels: number
  /** Channels from the second convolution on; a multiple of `heads`. */
  readonly channels: number
  readonly hidden: number
  readonly heads: number
  readonly blocks: number
  /** Tokens that a text can have: its bytes / BYTES_PER_TOKEN. */
  readonly tokensMax: number
}

/** Two convolutions of stride 2 make one token of four bytes. */
export const BYTES_PER_TOKEN = 4
const CONVOLUTION_WIDTH = 3
const CLASSES = PAYLOAD_CLASSES.length

/** The tensors of the model in the order in which they are stored. */
export function transformerParameters(shape: TransformerShape): readonly ParameterSpec[] {
  const { vocabulary, byteChannels, channels, hidden, tokensMax } = shape
  const folded = 2 * CONVOLUTION_WIDTH
  return [
    { name: "bytes", dims: [vocabulary, byteChannels], deviation: 0.1 },
    matrix("convolution1", folded * byteChannels, channels),
    { name: "convolution1.bias", dims: [channels] },
    matrix("convolution2", folded * channels, channels),
    { name: "convolution2.bias", dims: [channels] },
    { name: "positions", dims: [tokensMax, channels], deviation: 0.02 },
    ...Array.from({ length: shape.blocks }, (_, block) =>
      blockParameters(`block${block}`, channels, hidden),
    ).flat(),
    ...normParameters("final", channels),
    matrix("classes", channels, CLASSES),
    { name: "classes.bias", dims: [CLASSES] },
  ]
}

function blockParameters(name: string, channels: number, hidden: number): ParameterSpec[] {
  return [
    ...normParameters(`${name}.attention`, channels),
    ...["query", "key", "value", "output"].map((part) =>
      matrix(`${name}.${part}`, channels, channels),
    ),
    { name: `${name}.output.bias`, dims: [channels] },
    ...normParameters(`${name}.feedForward`, channels),
    matrix(`${name}.expand`, channels, hidden),
    { name: `${name}.expand.bias`, dims: [hidden] },
    matrix(`${name}.contract`, hidden, channels),
    { name: `${name}.contract.bias`, dims: [channels] },
  ]
}

function matrix(name: string, rows: number, columns: number): ParameterSpec {
  return { name, dims: [rows, columns], deviation: Math.sqrt(1 / rows) }
}

function normParameters(name: string, channels: number): ParameterSpec[] {
  return [
    { name: `${name}.gain`, dims: [channels], mean: 1 },
    { name: `${name}.norm.bias`, dims: [channels] },
  ]
}

export interface TransformerInputs {
  /** Name of an int64 [batch, bytes, grams], bytes a multiple of BYTES_PER_TOKEN. */
  readonly ids: string
  /** Name of a float [batch, tokens]: 0 for a token of the text, very negative for padding. */
  readonly mask: string
  readonly parameters: ReadonlyMap<string, Variable>
}

/**
 * The forward pass: bytes, two convolutions of stride 2, `blocks` pre-norm transformer blocks, the
 * maximum over the tokens, logits [batch, classes].
 *
 * @see Xiong et al. 2020, "On Layer Normalization in the Transformer Architecture" (pre-norm)
 */
export function byteTransformer(
  tape: Tape,
  shape: TransformerShape,
  inputs: TransformerInputs,
): Variable {
  const get = parameterGetter(inputs.parameters)
  const { vocabulary, byteChannels, channels } = shape
  const bytes = embed(tape, get("bytes"), { ids: inputs.ids, dims: [vocabulary, byteChannels] })
  const pairs = convolve(tape, bytes, { name: "convolution1", channels: byteChannels, get })
  const tokens = convolve(tape, pairs, { name: "convolution2", channels, get })
  let hidden = addPositions(tape, tokens, get("positions"))
  const keys = tape.emit("Unsqueeze", [inputs.mask, tape.integers(1, 2)])
  for (let block = 0; block < shape.blocks; block++) {
    hidden = transformerBlock(tape, hidden, { name: `block${block}`, shape, mask: keys, get })
  }
  const normal = norm(tape, hidden, { name: "final", get })
  const mask = tape.emit("Unsqueeze", [inputs.mask, tape.integers(2)])
  const pooled = maxOverTime(tape, addConstant(tape, normal, mask))
  return addBias(tape, multiply(tape, pooled, get("classes")), get("classes.bias"))
}

type Get = (name: string) => Variable

/** Kernel 6, stride 2: neighbouring steps are paired, then each pair sees its neighbours. */
function convolve(
  tape: Tape,
  input: Variable,
  { name, channels, get }: { readonly name: string; readonly channels: number; readonly get: Get },
): Variable {
  const pairs = reshape(tape, input, [0, -1, 2 * channels])
  const neighbours = unfold(tape, pairs, CONVOLUTION_WIDTH)
  const product = multiply(tape, neighbours, get(name))
  return relu(tape, addBias(tape, product, get(`${name}.bias`)))
}

interface BlockOptions {
  readonly name: string
  readonly shape: TransformerShape
  readonly mask: string
  readonly get: Get
}

function transformerBlock(tape: Tape, input: Variable, options: BlockOptions): Variable {
  const { name, get, mask, shape } = options
  const attended = selfAttention(tape, norm(tape, input, { name: `${name}.attention`, get }), {
    heads: shape.heads,
    channels: shape.channels,
    mask,
    parameters: {
      query: get(`${name}.query`),
      key: get(`${name}.key`),
      value: get(`${name}.value`),
      output: get(`${name}.output`),
      outputBias: get(`${name}.output.bias`),
    },
  })
  const middle = add(tape, input, attended)
  const normal = norm(tape, middle, { name: `${name}.feedForward`, get })
  return add(tape, middle, feedForward(tape, normal, { name, get }))
}

function feedForward(tape: Tape, input: Variable, { name, get }: { name: string; get: Get }) {
  const expanded = multiply(tape, input, get(`${name}.expand`))
  const active = relu(tape, addBias(tape, expanded, get(`${name}.expand.bias`)))
  const contracted = multiply(tape, active, get(`${name}.contract`))
  return addBias(tape, contracted, get(`${name}.contract.bias`))
}

function norm(tape: Tape, input: Variable, { name, get }: { name: string; get: Get }): Variable {
  return layerNorm(tape, input, { gain: get(`${name}.gain`), bias: get(`${name}.norm.bias`) })
}

function parameterGetter(parameters: ReadonlyMap<string, Variable>): Get {
  return (name) => {
    const variable = parameters.get(name)
    if (variable === undefined) throw new RangeError(`byteTransformer: no parameter ${name}`)
    return variable
  }
}
