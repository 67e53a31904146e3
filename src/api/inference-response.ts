import { type Classification, PAYLOAD_CLASSES } from "../events.ts"
import { fp64Tensor, textTensor } from "./inference-tensors.ts"

interface TextOutput {
  readonly datatype: "BYTES"
  readonly columns: undefined
  read(classification: Classification): string
}

interface NumberOutput {
  readonly datatype: "FP64"
  /** Length of the second dimension; undefined = there is none. */
  readonly columns: number | undefined
  readonly parameters?: Readonly<Record<string, string>>
  read(classification: Classification): readonly number[]
}

/** Outputs by name; the first dimension of each is the number of payloads. */
export const OUTPUTS = {
  class: { datatype: "BYTES", columns: undefined, read: (judged) => judged.class },
  confidence: { datatype: "FP64", columns: undefined, read: (judged) => [judged.confidence] },
  probabilities: {
    datatype: "FP64",
    columns: PAYLOAD_CLASSES.length,
    /** What the columns stand for. */
    parameters: { classes: PAYLOAD_CLASSES.join(",") },
    read: ({ probabilities }) => PAYLOAD_CLASSES.map((name) => probabilities[name] ?? 0),
  },
  method: { datatype: "BYTES", columns: undefined, read: (judged) => judged.method },
  model: { datatype: "BYTES", columns: undefined, read: (judged) => judged.model },
} as const satisfies Record<string, TextOutput | NumberOutput>
export type OutputName = keyof typeof OUTPUTS

export interface WantedOutput {
  readonly name: OutputName
  readonly isBinary: boolean
}

interface ResponseOptions {
  readonly model: { readonly name: string; readonly version: string }
  /** As the client named its request; undefined = it did not. */
  readonly id: string | undefined
  readonly outputs: readonly WantedOutput[]
}

/** The answer as JSON, or as JSON and binary tensors where the client wants those. */
export function writeInferenceResponse(
  judged: readonly Classification[],
  { model, id, outputs }: ResponseOptions,
): Response {
  const binary: Uint8Array[] = []
  const tensors = outputs.map((wanted) => {
    const output: TextOutput | NumberOutput = OUTPUTS[wanted.name]
    const { datatype, columns } = output
    const head = {
      name: wanted.name,
      datatype,
      shape: [judged.length, ...(columns ? [columns] : [])],
    }
    const parameters = output.datatype === "FP64" ? output.parameters : undefined
    if (!wanted.isBinary)
      return { ...head, ...(parameters && { parameters }), data: valuesOf(output, judged) }
    const bytes = bytesOf(output, judged)
    binary.push(bytes)
    return { ...head, parameters: { ...parameters, binary_data_size: bytes.length } }
  })
  const message = {
    ...{ model_name: model.name, model_version: model.version, ...(id !== undefined && { id }) },
    outputs: tensors,
  }
  return binary.length === 0 ? Response.json(message) : withTensors(message, binary)
}

function valuesOf(output: TextOutput | NumberOutput, judged: readonly Classification[]) {
  return output.datatype === "BYTES" ? judged.map(output.read) : judged.flatMap(output.read)
}

function bytesOf(output: TextOutput | NumberOutput, judged: readonly Classification[]): Uint8Array {
  return output.datatype === "BYTES"
    ? textTensor(judged.map(output.read))
    : fp64Tensor(judged.flatMap(output.read))
}

function withTensors(message: object, tensors: readonly Uint8Array[]): Response {
  const json = Buffer.from(JSON.stringify(message), "utf8")
  return new Response(Buffer.concat([json, ...tensors]), {
    headers: {
      "content-type": "application/octet-stream",
      "inference-header-content-length": String(json.length),
    },
  })
}
