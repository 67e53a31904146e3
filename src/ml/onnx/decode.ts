import { PbfReader } from "pbf"
import { ModelRefusedError } from "../../errors.ts"
import type {
  OnnxAttribute,
  OnnxData,
  OnnxElementType,
  OnnxGraph,
  OnnxInitializer,
  OnnxNode,
  OnnxValue,
} from "./graph.ts"
import { ELEMENT_TYPES, MODEL_BYTES_MAX } from "./graph.ts"
import {
  ATTRIBUTE,
  ATTRIBUTE_TYPE,
  DIMENSION,
  ENTRY,
  GRAPH,
  ML_DOMAIN,
  MODEL,
  NODE,
  OPSET_ID,
  SHAPE,
  TENSOR,
  TENSOR_TYPE,
  TYPE,
  VALUE_INFO,
} from "./proto.ts"

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/**
 * Reads the bytes of an ONNX ModelProto written by `encodeOnnx`; other writers' files are read as
 * long as their tensors are stored as raw data.
 *
 * @param bytes at most MODEL_BYTES_MAX
 * @throws ModelRefusedError for anything that is not such a file
 */
export function decodeOnnx(bytes: Uint8Array): OnnxGraph {
  if (bytes.byteLength > MODEL_BYTES_MAX) throw new ModelRefusedError("file too large")
  try {
    return readModel(new PbfReader(bytes))
  } catch (error) {
    if (error instanceof ModelRefusedError) throw error
    throw new ModelRefusedError("not an ONNX file", error)
  }
}

interface ModelDraft {
  graph: GraphDraft | undefined
  opset: number | undefined
  mlOpset: number | undefined
  metadata: Record<string, string>
}

interface GraphDraft {
  name: string
  nodes: OnnxNode[]
  initializers: OnnxInitializer[]
  inputs: OnnxValue[]
  outputs: OnnxValue[]
}

function readModel(pbf: PbfReader): OnnxGraph {
  const draft = pbf.readFields(readModelField, {
    graph: undefined,
    opset: undefined,
    mlOpset: undefined,
    metadata: {},
  } as ModelDraft)
  // pbf reads past the end without complaint: its position tells.
  if (pbf.pos !== pbf.length) throw new ModelRefusedError("file truncated")
  if (draft.graph === undefined) throw new ModelRefusedError("no graph in the file")
  if (draft.opset === undefined) throw new ModelRefusedError("no operator set in the file")
  const { graph, opset, mlOpset, metadata } = draft
  return { ...graph, opset, ...(mlOpset === undefined ? {} : { mlOpset }), metadata }
}

function readModelField(tag: number, model: ModelDraft, pbf: PbfReader): void {
  if (tag === MODEL.graph) {
    model.graph = pbf.readMessage(readGraphField, emptyGraph())
  } else if (tag === MODEL.opsetImport) {
    const { domain, version } = pbf.readMessage(readOpsetField, { domain: "", version: 0 })
    if (domain === "") model.opset = version
    else if (domain === ML_DOMAIN) model.mlOpset = version
  } else if (tag === MODEL.metadata) {
    const { key, value } = pbf.readMessage(readEntryField, { key: "", value: "" })
    Object.defineProperty(model.metadata, key, { value, enumerable: true, configurable: true })
  }
}

function emptyGraph(): GraphDraft {
  return { name: "", nodes: [], initializers: [], inputs: [], outputs: [] }
}

function readOpsetField(
  tag: number,
  opset: { domain: string; version: number },
  pbf: PbfReader,
): void {
  if (tag === OPSET_ID.domain) opset.domain = pbf.readString()
  else if (tag === OPSET_ID.version) opset.version = pbf.readVarint()
}

function readEntryField(tag: number, entry: { key: string; value: string }, pbf: PbfReader): void {
  if (tag === ENTRY.key) entry.key = pbf.readString()
  else if (tag === ENTRY.value) entry.value = pbf.readString()
}

function readGraphField(tag: number, graph: GraphDraft, pbf: PbfReader): void {
  if (tag === GRAPH.node) graph.nodes.push(readNode(pbf))
  else if (tag === GRAPH.name) graph.name = pbf.readString()
  else if (tag === GRAPH.initializer) graph.initializers.push(readTensor(pbf))
  else if (tag === GRAPH.input) graph.inputs.push(readValue(pbf))
  else if (tag === GRAPH.output) graph.outputs.push(readValue(pbf))
}

interface NodeDraft {
  opType: string
  domain: string | undefined
  inputs: string[]
  outputs: string[]
  attributes: [string, OnnxAttribute][]
}

function readNode(pbf: PbfReader): OnnxNode {
  const draft = pbf.readMessage(readNodeField, {
    opType: "",
    domain: undefined,
    inputs: [],
    outputs: [],
    attributes: [],
  } as NodeDraft)
  const { opType, inputs, outputs, domain, attributes } = draft
  return {
    opType,
    inputs,
    outputs,
    ...(domain ? { domain } : {}),
    ...(attributes.length > 0 ? { attributes: Object.fromEntries(attributes) } : {}),
  }
}

function readNodeField(tag: number, node: NodeDraft, pbf: PbfReader): void {
  if (tag === NODE.input) node.inputs.push(pbf.readString())
  else if (tag === NODE.output) node.outputs.push(pbf.readString())
  else if (tag === NODE.opType) node.opType = pbf.readString()
  else if (tag === NODE.domain) node.domain = pbf.readString()
  else if (tag === NODE.attribute) node.attributes.push(readAttribute(pbf))
}

interface AttributeDraft {
  name: string
  type: number
  int: number
  float: number
  string: string
  ints: number[]
  floats: number[]
  strings: string[]
}

function readAttribute(pbf: PbfReader): [string, OnnxAttribute] {
  const draft = pbf.readMessage(readAttributeField, {
    name: "",
    type: 0,
    int: 0,
    float: 0,
    string: "",
    ints: [],
    floats: [],
    strings: [],
  } as AttributeDraft)
  return [draft.name, attributeOf(draft)]
}

function attributeOf({ type, int, float, string, ints, floats, strings }: AttributeDraft) {
  if (type === ATTRIBUTE_TYPE.int) return { int }
  if (type === ATTRIBUTE_TYPE.float) return { float }
  if (type === ATTRIBUTE_TYPE.string) return { string }
  if (type === ATTRIBUTE_TYPE.ints) return { ints }
  if (type === ATTRIBUTE_TYPE.floats) return { floats }
  if (type === ATTRIBUTE_TYPE.strings) return { strings }
  throw new ModelRefusedError("an attribute of an unknown type")
}

function readAttributeField(tag: number, attribute: AttributeDraft, pbf: PbfReader): void {
  if (tag === ATTRIBUTE.name) attribute.name = pbf.readString()
  else if (tag === ATTRIBUTE.type) attribute.type = pbf.readVarint()
  else if (tag === ATTRIBUTE.int) attribute.int = pbf.readVarint(true)
  else if (tag === ATTRIBUTE.float) attribute.float = pbf.readFloat()
  else if (tag === ATTRIBUTE.string) attribute.string = pbf.readString()
  else if (tag === ATTRIBUTE.ints) pbf.readPackedVarint(attribute.ints, true)
  else if (tag === ATTRIBUTE.floats) pbf.readPackedFloat(attribute.floats)
  else if (tag === ATTRIBUTE.strings) attribute.strings.push(pbf.readString())
}

interface TensorDraft {
  name: string
  dims: number[]
  dataType: number
  raw: Uint8Array
}

function readTensor(pbf: PbfReader): OnnxInitializer {
  const draft = pbf.readMessage(readTensorField, {
    name: "",
    dims: [],
    dataType: 0,
    raw: new Uint8Array(0),
  } as TensorDraft)
  const data = dataOf(elementTypeByNumber(draft.dataType), draft.raw)
  const elements = draft.dims.reduce((product, dim) => product * dim, 1)
  if (data.length !== elements) throw new ModelRefusedError("a tensor does not fill its shape")
  return { name: draft.name, dims: draft.dims, data }
}

function readTensorField(tag: number, tensor: TensorDraft, pbf: PbfReader): void {
  if (tag === TENSOR.dims) pbf.readPackedVarint(tensor.dims, true)
  else if (tag === TENSOR.dataType) tensor.dataType = pbf.readVarint()
  else if (tag === TENSOR.name) tensor.name = pbf.readString()
  else if (tag === TENSOR.rawData) tensor.raw = pbf.readBytes()
}

/** The bytes are copied: a view into the file would be misaligned and keep the file alive. */
function dataOf(type: OnnxElementType, raw: Uint8Array): OnnxData {
  const { buffer } = Uint8Array.from(raw)
  switch (type) {
    case "float":
      return new Float32Array(buffer)
    case "float16":
      return new Float16Array(buffer)
    case "double":
      return new Float64Array(buffer)
    case "int8":
      return new Int8Array(buffer)
    case "uint8":
      return new Uint8Array(buffer)
    case "int32":
      return new Int32Array(buffer)
    case "int64":
      return new BigInt64Array(buffer)
    case "bool":
      throw new ModelRefusedError("boolean tensors are not supported")
  }
}

function elementTypeByNumber(number: number): OnnxElementType {
  for (const [name, value] of Object.entries(ELEMENT_TYPES)) {
    if (value === number) return name as OnnxElementType
  }
  throw new ModelRefusedError("a tensor of an unsupported element type")
}

function readValue(pbf: PbfReader): OnnxValue {
  const draft: Mutable<OnnxValue> = { name: "", type: "float", dims: [] }
  return pbf.readMessage(readValueField, draft)
}

function readValueField(tag: number, value: Mutable<OnnxValue>, pbf: PbfReader): void {
  if (tag === VALUE_INFO.name) value.name = pbf.readString()
  else if (tag === VALUE_INFO.type) pbf.readMessage(readTypeField, value)
}

function readTypeField(tag: number, value: Mutable<OnnxValue>, pbf: PbfReader): void {
  if (tag === TYPE.tensorType) pbf.readMessage(readTensorTypeField, value)
}

function readTensorTypeField(tag: number, value: Mutable<OnnxValue>, pbf: PbfReader): void {
  if (tag === TENSOR_TYPE.elementType) value.type = elementTypeByNumber(pbf.readVarint())
  else if (tag === TENSOR_TYPE.shape) value.dims = pbf.readMessage(readShapeField, [] as Dims)
}

type Dims = (number | string)[]

function readShapeField(tag: number, dims: Dims, pbf: PbfReader): void {
  if (tag === SHAPE.dim)
    dims.push(pbf.readMessage(readDimensionField, { value: 0 as Dims[0] }).value)
}

function readDimensionField(tag: number, dim: { value: number | string }, pbf: PbfReader): void {
  if (tag === DIMENSION.value) dim.value = pbf.readVarint()
  else if (tag === DIMENSION.param) dim.value = pbf.readString()
}
