/** Field numbers of the messages in onnx.proto3, by message. */
export const MODEL = { irVersion: 1, producerName: 2, graph: 7, opsetImport: 8, metadata: 14 }
export const OPSET_ID = { domain: 1, version: 2 }
export const ENTRY = { key: 1, value: 2 }
export const GRAPH = { node: 1, name: 2, initializer: 5, input: 11, output: 12 }
export const NODE = { input: 1, output: 2, opType: 4, attribute: 5, domain: 7 }
export const ATTRIBUTE = {
  name: 1,
  float: 2,
  int: 3,
  string: 4,
  floats: 7,
  ints: 8,
  strings: 9,
  type: 20,
}
/** AttributeProto.AttributeType */
export const ATTRIBUTE_TYPE = { float: 1, int: 2, string: 3, floats: 6, ints: 7, strings: 8 }
export const TENSOR = { dims: 1, dataType: 2, name: 8, rawData: 9 }
export const VALUE_INFO = { name: 1, type: 2 }
export const TYPE = { tensorType: 1 }
export const TENSOR_TYPE = { elementType: 1, shape: 2 }
export const SHAPE = { dim: 1 }
export const DIMENSION = { value: 1, param: 2 }

/** Version of the intermediate representation: 8 carries opset 18 and ai.onnx.ml 3. */
export const IR_VERSION = 8
export const ML_DOMAIN = "ai.onnx.ml"
