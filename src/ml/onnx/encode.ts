import { PbfWriter } from "pbf"
import type {
  OnnxAttribute,
  OnnxData,
  OnnxElementType,
  OnnxGraph,
  OnnxInitializer,
  OnnxNode,
  OnnxValue,
} from "./graph.ts"
import { ELEMENT_TYPES } from "./graph.ts"
import {
  ATTRIBUTE,
  ATTRIBUTE_TYPE,
  DIMENSION,
  ENTRY,
  GRAPH,
  IR_VERSION,
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

/**
 * Writes a graph as the bytes of an ONNX ModelProto. The same graph gives the same bytes:
 * metadata is written in the order of its keys, attributes likewise.
 */
export function encodeOnnx(graph: OnnxGraph): Uint8Array {
  const pbf = new PbfWriter()
  pbf.writeVarintField(MODEL.irVersion, IR_VERSION)
  pbf.writeStringField(MODEL.producerName, "sentinel")
  pbf.writeMessage(MODEL.graph, writeGraph, graph)
  pbf.writeMessage(MODEL.opsetImport, writeOpset, { domain: "", version: graph.opset })
  if (graph.mlOpset !== undefined) {
    pbf.writeMessage(MODEL.opsetImport, writeOpset, { domain: ML_DOMAIN, version: graph.mlOpset })
  }
  for (const entry of sortedEntries(graph.metadata)) {
    pbf.writeMessage(MODEL.metadata, writeEntry, entry)
  }
  return pbf.finish()
}

/** The element type that an array's class stands for. */
function elementTypeOf(data: OnnxData): OnnxElementType {
  if (data instanceof Float32Array) return "float"
  if (data instanceof Float16Array) return "float16"
  if (data instanceof Float64Array) return "double"
  if (data instanceof Int8Array) return "int8"
  if (data instanceof Uint8Array) return "uint8"
  if (data instanceof Int32Array) return "int32"
  return "int64"
}

function sortedEntries<T>(record: Readonly<Record<string, T>>): [string, T][] {
  return Object.entries(record).sort(([left], [right]) => (left < right ? -1 : 1))
}

function writeOpset(opset: { domain: string; version: number }, pbf: PbfWriter): void {
  pbf.writeStringField(OPSET_ID.domain, opset.domain)
  pbf.writeVarintField(OPSET_ID.version, opset.version)
}

function writeEntry([key, value]: [string, string], pbf: PbfWriter): void {
  pbf.writeStringField(ENTRY.key, key)
  pbf.writeStringField(ENTRY.value, value)
}

function writeGraph(graph: OnnxGraph, pbf: PbfWriter): void {
  for (const node of graph.nodes) pbf.writeMessage(GRAPH.node, writeNode, node)
  pbf.writeStringField(GRAPH.name, graph.name)
  for (const tensor of graph.initializers) pbf.writeMessage(GRAPH.initializer, writeTensor, tensor)
  for (const input of graph.inputs) pbf.writeMessage(GRAPH.input, writeValue, input)
  for (const output of graph.outputs) pbf.writeMessage(GRAPH.output, writeValue, output)
}

function writeNode(node: OnnxNode, pbf: PbfWriter): void {
  for (const input of node.inputs) pbf.writeStringField(NODE.input, input)
  for (const output of node.outputs) pbf.writeStringField(NODE.output, output)
  pbf.writeStringField(NODE.opType, node.opType)
  for (const attribute of sortedEntries(node.attributes ?? {})) {
    pbf.writeMessage(NODE.attribute, writeAttribute, attribute)
  }
  if (node.domain !== undefined) pbf.writeStringField(NODE.domain, node.domain)
}

function writeAttribute([name, value]: [string, OnnxAttribute], pbf: PbfWriter): void {
  pbf.writeStringField(ATTRIBUTE.name, name)
  pbf.writeVarintField(ATTRIBUTE.type, writeAttributeValue(value, pbf))
}

/** @returns the AttributeType of what was written */
function writeAttributeValue(value: OnnxAttribute, pbf: PbfWriter): number {
  if ("int" in value) {
    pbf.writeVarintField(ATTRIBUTE.int, value.int)
    return ATTRIBUTE_TYPE.int
  }
  if ("float" in value) {
    pbf.writeFloatField(ATTRIBUTE.float, value.float)
    return ATTRIBUTE_TYPE.float
  }
  if ("string" in value) {
    pbf.writeStringField(ATTRIBUTE.string, value.string)
    return ATTRIBUTE_TYPE.string
  }
  if ("ints" in value) {
    for (const item of value.ints) pbf.writeVarintField(ATTRIBUTE.ints, item)
    return ATTRIBUTE_TYPE.ints
  }
  if ("floats" in value) {
    for (const item of value.floats) pbf.writeFloatField(ATTRIBUTE.floats, item)
    return ATTRIBUTE_TYPE.floats
  }
  for (const item of value.strings) pbf.writeStringField(ATTRIBUTE.strings, item)
  return ATTRIBUTE_TYPE.strings
}

function writeTensor(tensor: OnnxInitializer, pbf: PbfWriter): void {
  const { buffer, byteOffset, byteLength } = tensor.data
  for (const dim of tensor.dims) pbf.writeVarintField(TENSOR.dims, dim)
  pbf.writeVarintField(TENSOR.dataType, ELEMENT_TYPES[elementTypeOf(tensor.data)])
  pbf.writeStringField(TENSOR.name, tensor.name)
  // raw_data is little-endian by definition, as is every platform that Bun runs on.
  pbf.writeBytesField(TENSOR.rawData, new Uint8Array(buffer, byteOffset, byteLength))
}

function writeValue(value: OnnxValue, pbf: PbfWriter): void {
  pbf.writeStringField(VALUE_INFO.name, value.name)
  pbf.writeMessage(VALUE_INFO.type, writeType, value)
}

function writeType(value: OnnxValue, pbf: PbfWriter): void {
  pbf.writeMessage(TYPE.tensorType, writeTensorType, value)
}

function writeTensorType(value: OnnxValue, pbf: PbfWriter): void {
  pbf.writeVarintField(TENSOR_TYPE.elementType, ELEMENT_TYPES[value.type])
  pbf.writeMessage(TENSOR_TYPE.shape, writeShape, value.dims)
}

function writeShape(dims: readonly (number | string)[], pbf: PbfWriter): void {
  for (const dim of dims) pbf.writeMessage(SHAPE.dim, writeDimension, dim)
}

function writeDimension(dim: number | string, pbf: PbfWriter): void {
  if (typeof dim === "number") pbf.writeVarintField(DIMENSION.value, dim)
  else pbf.writeStringField(DIMENSION.param, dim)
}
