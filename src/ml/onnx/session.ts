import { InferenceSession, Tensor } from "onnxruntime-node"
import { ModelRefusedError } from "../../errors.ts"

/** The tensors that go in and come out; float and int64 are all that Sentinel's graphs use. */
export type OnnxTensor =
  | { readonly type: "float32"; readonly dims: readonly number[]; readonly data: Float32Array }
  | { readonly type: "int64"; readonly dims: readonly number[]; readonly data: BigInt64Array }

/** One loaded model. `run` blocks the event loop while it computes, despite its promise. */
export interface OnnxSession {
  run(feeds: Readonly<Record<string, OnnxTensor>>): Promise<Readonly<Record<string, OnnxTensor>>>
  release(): Promise<void>
}

/**
 * Loads a model into ONNX Runtime: once per model, on one thread, for the machine is shared.
 *
 * @throws ModelRefusedError when the runtime does not accept the file
 */
export async function openOnnxSession(model: Uint8Array): Promise<OnnxSession> {
  const session = await createSession(model)
  return {
    run: async (feeds) => toOnnxTensors(await session.run(toRuntimeTensors(feeds))),
    release: () => session.release(),
  }
}

async function createSession(model: Uint8Array): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(model, { intraOpNumThreads: 1, logSeverityLevel: 3 })
  } catch (error) {
    throw new ModelRefusedError("ONNX Runtime cannot load it", error)
  }
}

function toRuntimeTensors(feeds: Readonly<Record<string, OnnxTensor>>): Record<string, Tensor> {
  const tensors: Record<string, Tensor> = {}
  for (const [name, tensor] of Object.entries(feeds)) {
    tensors[name] =
      tensor.type === "float32"
        ? new Tensor("float32", tensor.data, tensor.dims)
        : new Tensor("int64", tensor.data, tensor.dims)
  }
  return tensors
}

function toOnnxTensors(outputs: InferenceSession.OnnxValueMapType): Record<string, OnnxTensor> {
  const tensors: Record<string, OnnxTensor> = {}
  for (const [name, value] of Object.entries(outputs)) {
    const { dims, data } = value as Tensor
    if (data instanceof Float32Array) tensors[name] = { type: "float32", dims, data }
    else if (data instanceof BigInt64Array) tensors[name] = { type: "int64", dims, data }
    else throw new ModelRefusedError("an output of an unsupported element type")
  }
  return tensors
}
