import { type Static, Type } from "@sinclair/typebox"

/** Messages of the Open Inference Protocol (version 2, HTTP/REST), as far as Sentinel takes them. */

const NAME_CHARACTERS_MAX = 256
const TENSORS_MAX = 16
const name = Type.String({ maxLength: NAME_CHARACTERS_MAX })

const inputTensor = Type.Object({
  name,
  shape: Type.Array(Type.Integer({ minimum: 0 }), {
    minItems: 1,
    maxItems: 2,
    description: "[n] or [n, 1]; n is the same for every input, 1 to 1,000",
  }),
  datatype: Type.String({ maxLength: NAME_CHARACTERS_MAX, description: "BYTES" }),
  parameters: Type.Optional(
    Type.Object({ binary_data_size: Type.Optional(Type.Integer({ minimum: 0 })) }),
  ),
  data: Type.Optional(Type.Array(Type.Unknown(), { description: "n strings" })),
})
export type InputTensor = Static<typeof inputTensor>

export const inferenceRequest = Type.Object({
  id: Type.Optional(Type.String({ maxLength: NAME_CHARACTERS_MAX, description: "sent back" })),
  parameters: Type.Optional(
    Type.Object({
      binary_data_output: Type.Optional(Type.Boolean({ description: "of every output" })),
    }),
  ),
  inputs: Type.Array(inputTensor, { minItems: 1, maxItems: TENSORS_MAX }),
  outputs: Type.Optional(
    Type.Array(
      Type.Object({
        name,
        parameters: Type.Optional(Type.Object({ binary_data: Type.Optional(Type.Boolean()) })),
      }),
      { maxItems: TENSORS_MAX, description: "default: all" },
    ),
  ),
})
export type InferenceMessage = Static<typeof inferenceRequest>

const tensorName = {
  name: Type.String(),
  datatype: Type.String(),
  shape: Type.Array(Type.Integer(), { description: "-1 = variable" }),
  parameters: Type.Optional(Type.Object({})),
}

export const inferenceAnswer = Type.Object({
  model_name: Type.String(),
  model_version: Type.String(),
  id: Type.Optional(Type.String()),
  outputs: Type.Array(Type.Object({ ...tensorName, data: Type.Array(Type.Unknown()) })),
})

export const serverMetadataAnswer = Type.Object({
  name: Type.String(),
  version: Type.String(),
  extensions: Type.Array(Type.String()),
})

export const modelMetadataAnswer = Type.Object({
  name: Type.String(),
  versions: Type.Array(Type.String()),
  platform: Type.String(),
  inputs: Type.Array(Type.Object(tensorName)),
  outputs: Type.Array(Type.Object(tensorName)),
})

export const modelListAnswer = Type.Object({ models: Type.Array(Type.String()) })
export const liveAnswer = Type.Object({ live: Type.Boolean() })
export const serverReadyAnswer = Type.Object({ ready: Type.Boolean() })
export const modelReadyAnswer = Type.Object({ name: Type.String(), ready: Type.Boolean() })
export const protocolError = Type.Object({ error: Type.String() })
