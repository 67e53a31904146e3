import { isUtf8 } from "node:buffer"
import { MalformedError } from "../errors.ts"
import { PAYLOAD_KINDS, type PayloadKind } from "../events.ts"
import { parseJson } from "./body.ts"
import { HttpError } from "./http-error.ts"
import { OUTPUTS, type OutputName, type WantedOutput } from "./inference-response.ts"
import { type InferenceMessage, type InputTensor, inferenceRequest } from "./inference-schemas.ts"
import { BinaryTensors } from "./inference-tensors.ts"
import type { PayloadQuestion } from "./judge-payload.ts"
import { createReader } from "./schemas.ts"

const PAYLOADS_MAX = 1_000

/** Inputs by name, with the longest element each may have; all but the payload may be left out. */
export const INPUTS = {
  payload: 65_536,
  kind: 16,
  param: 256,
  path: 8_192,
  method: 256,
  content_type: 256,
  session_id: 256,
} as const
type InputName = keyof typeof INPUTS

export interface InferenceRequest {
  readonly id: string | undefined
  readonly questions: readonly PayloadQuestion[]
  readonly outputs: readonly WantedOutput[]
}

const readMessage = createReader(inferenceRequest)

/**
 * Reads an inference request: JSON, and behind it the tensors that are sent as binary data.
 *
 * @param headerLength `Inference-Header-Content-Length`: bytes of JSON; null = all of them
 * @throws MalformedError naming the tensor
 * @throws HttpError INVALID_UTF8, MALFORMED_JSON
 */
export function readInferenceRequest(
  bytes: Uint8Array,
  headerLength: string | null,
): InferenceRequest {
  const jsonBytes = headerLength === null ? bytes.length : lengthOf(headerLength, bytes.length)
  const json = bytes.subarray(0, jsonBytes)
  if (!isUtf8(json)) throw new HttpError("INVALID_UTF8")
  const message = readMessage(parseJson(json))
  const binary = new BinaryTensors(bytes.subarray(jsonBytes))
  const columns = readColumns(message.inputs, binary)
  if (!binary.isEmpty) throw new MalformedError("body", "no bytes behind the last tensor")
  return { id: message.id, questions: toQuestions(columns), outputs: wantedOutputs(message) }
}

function lengthOf(header: string, bytesMax: number): number {
  const length = /^\d{1,9}$/.test(header) ? Number(header) : Number.NaN
  if (!(length <= bytesMax)) {
    throw new MalformedError("Inference-Header-Content-Length", "the length of the JSON")
  }
  return length
}

type Columns = ReadonlyMap<InputName, readonly string[]>

function readColumns(inputs: readonly InputTensor[], binary: BinaryTensors): Columns {
  const columns = new Map<InputName, readonly string[]>()
  for (const tensor of inputs) {
    const { name } = tensor
    if (!isInputName(name)) {
      throw new MalformedError("inputs", `tensors named ${Object.keys(INPUTS).join(", ")}`)
    }
    if (columns.has(name)) throw new MalformedError(name, "one tensor of this name")
    columns.set(name, readTexts(name, tensor, binary))
  }
  return columns
}

function isInputName(name: string): name is InputName {
  return Object.hasOwn(INPUTS, name)
}

function readTexts(name: InputName, tensor: InputTensor, binary: BinaryTensors) {
  if (tensor.datatype !== "BYTES") throw new MalformedError(`${name}.datatype`, "BYTES")
  const [count = 0, columns = 1] = tensor.shape
  if (count < 1 || count > PAYLOADS_MAX || columns !== 1) {
    throw new MalformedError(`${name}.shape`, `[n] or [n, 1], n from 1 to ${PAYLOADS_MAX}`)
  }
  const binarySize = tensor.parameters?.binary_data_size
  const texts =
    binarySize === undefined
      ? readJsonTexts(name, tensor.data ?? [], count)
      : binary.takeTexts(name, binarySize, count)
  if (texts.some(({ length }) => length > INPUTS[name])) {
    throw new MalformedError(name, `elements of at most ${INPUTS[name]} characters`)
  }
  return texts
}

/** Row-major: nested as the shape says, or flat. */
function readJsonTexts(name: string, data: readonly unknown[], count: number): readonly string[] {
  const flat = data.length <= PAYLOADS_MAX ? data.flat() : data
  if (flat.length !== count || !flat.every((element) => typeof element === "string")) {
    throw new MalformedError(`${name}.data`, `${count} strings, as the shape says`)
  }
  return flat
}

function toQuestions(columns: Columns): readonly PayloadQuestion[] {
  const payloads = columns.get("payload")
  if (payloads === undefined) throw new MalformedError("inputs", "a tensor named payload")
  for (const [name, { length }] of columns) {
    if (length !== payloads.length) throw new MalformedError(`${name}.shape`, "that of the payload")
  }
  return payloads.map((text, index) => toQuestion(text, (name) => columns.get(name)?.[index]))
}

/** An empty element means the same as none. */
function toQuestion(text: string, at: (name: InputName) => string | undefined): PayloadQuestion {
  const [kind, param, path, method] = [at("kind"), at("param"), at("path"), at("method")]
  const [contentType, sessionId] = [at("content_type"), at("session_id")]
  const context = {
    ...(param && { param }),
    ...(path && { path }),
    ...(method && { method }),
    ...(contentType && { contentType }),
  }
  return {
    input: { text, ...(kind && { kind: kindOf(kind) }), context },
    ...(sessionId && { sessionId }),
  }
}

function kindOf(word: string): PayloadKind {
  const kind = PAYLOAD_KINDS.find((known) => known === word)
  if (kind === undefined) throw new MalformedError("kind", `one of ${PAYLOAD_KINDS.join(", ")}`)
  return kind
}

function wantedOutputs({ outputs = [], parameters }: InferenceMessage): readonly WantedOutput[] {
  const all = parameters?.binary_data_output === true
  const names = Object.keys(OUTPUTS) as OutputName[]
  if (outputs.length === 0) return names.map((name) => ({ name, isBinary: all }))
  return outputs.map(({ name: wanted, parameters: own }) => {
    const name = names.find((known) => known === wanted)
    if (name === undefined) throw new MalformedError("outputs", `tensors named ${names.join(", ")}`)
    return { name, isBinary: own?.binary_data ?? all }
  })
}
