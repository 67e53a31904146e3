/**
 * An ONNX model as plain data: the part of onnx.proto3 that Sentinel's own models need.
 *
 * @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3
 */
export interface OnnxGraph {
  readonly name: string
  /** Version of the default operator set. */
  readonly opset: number
  /** Version of the operator set `ai.onnx.ml`, where a node uses it. */
  readonly mlOpset?: number
  readonly nodes: readonly OnnxNode[]
  readonly initializers: readonly OnnxInitializer[]
  readonly inputs: readonly OnnxValue[]
  readonly outputs: readonly OnnxValue[]
  readonly metadata: Readonly<Record<string, string>>
}

export interface OnnxNode {
  readonly opType: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  /** Operator set of `opType`; default "" (ai.onnx). */
  readonly domain?: string
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>
}

/** ONNX tells integers from floats, a JavaScript number does not: so the kind is named. */
export type OnnxAttribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly string: string }
  | { readonly ints: readonly number[] }
  | { readonly floats: readonly number[] }
  | { readonly strings: readonly string[] }

/** A named constant; the element type follows from the array's class (see ELEMENT_TYPES). */
export interface OnnxInitializer {
  readonly name: string
  readonly dims: readonly number[]
  readonly data: OnnxData
}

/** A named input or output; a string in `dims` is a free dimension. */
export interface OnnxValue {
  readonly name: string
  readonly type: OnnxElementType
  readonly dims: readonly (number | string)[]
}

export type OnnxElementType =
  | "float"
  | "float16"
  | "double"
  | "int8"
  | "uint8"
  | "int32"
  | "int64"
  | "bool"

export type OnnxData =
  | Float32Array
  | Float16Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int32Array
  | BigInt64Array

/** TensorProto.DataType by name; `bool` can be an input but not an initializer. */
export const ELEMENT_TYPES: Readonly<Record<OnnxElementType, number>> = {
  float: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  double: 11,
}

/** The largest model file that is read: Sentinel's own are below 2 MiB. */
export const MODEL_BYTES_MAX = 64 * 1024 * 1024
