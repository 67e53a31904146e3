import type { ModelInfo } from "../../ports.ts"
import { readBytes } from "../body.ts"
import { HttpError } from "../http-error.ts"
import { INPUTS, readInferenceRequest } from "../inference-request.ts"
import { OUTPUTS, writeInferenceResponse } from "../inference-response.ts"
import {
  inferenceAnswer,
  inferenceRequest,
  liveAnswer,
  modelListAnswer,
  modelMetadataAnswer,
  modelReadyAnswer,
  protocolError,
  serverMetadataAnswer,
  serverReadyAnswer,
} from "../inference-schemas.ts"
import { type JudgeParts, judgePayload, type PayloadQuestion } from "../judge-payload.ts"
import type { ApiParts } from "../parts.ts"
import { Turns } from "../turns.ts"
import type { Call, Route } from "./route.ts"

const INFER_BYTES_MAX = 4 * 1_024 * 1_024
const BODY_TYPES = /^(?:application\/(?:json|octet-stream)\b.{0,100})?$/i

type Parts = JudgeParts & Pick<ApiParts, "ready" | "version">

/**
 * The Open Inference Protocol (version 2, HTTP/REST) with the binary data extension, so that clients
 * of KServe, Triton and the like work.
 */
export function inferenceProtocolRoutes(parts: Parts): readonly Route[] {
  return [...serverRoutes(parts), ...modelRoutes(parts)].map((route) => ({
    ...route,
    errors: protocolError,
  }))
}

function serverRoutes({ ready, version, classifier }: Parts): readonly Route[] {
  return [
    {
      method: "GET",
      path: "/v2",
      summary: "Open Inference Protocol: the server",
      answer: serverMetadataAnswer,
      handle: () => ({ name: "sentinel", version, extensions: ["binary_tensor_data"] }),
    },
    {
      method: "GET",
      path: "/v2/health/live",
      summary: "Open Inference Protocol: the server is live",
      answer: liveAnswer,
      handle: () => ({ live: true }),
    },
    {
      method: "GET",
      path: "/v2/health/ready",
      summary: "Open Inference Protocol: the server is ready; 503 when not",
      answer: serverReadyAnswer,
      handle: () => readiness(ready().ready, {}),
    },
    {
      method: "GET",
      path: "/v2/models",
      summary: "Open Inference Protocol: names of the models",
      answer: modelListAnswer,
      handle: () => ({ models: [nameOf(classifier.info).name] }),
    },
  ]
}

/** Each with and without a version in its path. */
function modelRoutes(parts: Parts): readonly Route[] {
  return ["/v2/models/:model", "/v2/models/:model/versions/:version"].flatMap((path) => [
    {
      method: "GET",
      path,
      summary: "Open Inference Protocol: a model's tensors",
      answer: modelMetadataAnswer,
      handle: ({ params }: Call) => describeModel(findModel(parts, params)),
    } as const,
    {
      method: "GET",
      path: `${path}/ready`,
      summary: "Open Inference Protocol: the model is ready; 503 when not",
      answer: modelReadyAnswer,
      handle: ({ params }: Call) =>
        readiness(parts.ready().ready, { name: findModel(parts, params).name }),
    } as const,
    inferRoute(parts, `${path}/infer`),
  ])
}

function inferRoute(parts: Parts, path: string): Route {
  return {
    method: "POST",
    path,
    summary: "Open Inference Protocol: classify 1 to 1,000 payloads",
    bytesMax: INFER_BYTES_MAX,
    body: inferenceRequest,
    answer: inferenceAnswer,
    async handle({ request, params }) {
      const model = findModel(parts, params)
      // Clients of the protocol send no content type, or either of these.
      if (!BODY_TYPES.test(request.headers.get("content-type") ?? "")) {
        throw new HttpError("UNSUPPORTED_MEDIA_TYPE")
      }
      const bytes = await readBytes(request, INFER_BYTES_MAX)
      const jsonLength = request.headers.get("inference-header-content-length")
      const { questions, ...wanted } = readInferenceRequest(bytes, jsonLength)
      return writeInferenceResponse(await judgeAll(questions, parts), { model, ...wanted })
    },
  }
}

async function judgeAll(questions: readonly PayloadQuestion[], parts: JudgeParts) {
  const turns = new Turns()
  const judged = []
  for (const question of questions) {
    await turns.pause()
    judged.push(judgePayload(question, parts).classification)
  }
  return judged
}

/** @throws {HttpError} NOT_FOUND */
function findModel({ classifier }: Parts, { model, version }: Call["params"]) {
  const served = nameOf(classifier.info)
  if (model !== served.name || (version !== undefined && version !== served.version)) {
    throw new HttpError("NOT_FOUND", "no such model or version is served")
  }
  return served
}

/** `payload-linear/1.4.0` is version 1.4.0 of payload-linear. */
function nameOf({ modelId }: ModelInfo) {
  const [name = "", version = ""] = modelId.split("/")
  return { name, version }
}

function describeModel({ name, version }: ReturnType<typeof nameOf>) {
  return {
    name,
    versions: [version],
    platform: "sentinel",
    inputs: Object.keys(INPUTS).map((input) => ({ name: input, datatype: "BYTES", shape: [-1] })),
    outputs: Object.entries(OUTPUTS).map(([output, { read: _, columns, ...rest }]) => ({
      ...{ name: output, ...rest },
      shape: columns === undefined ? [-1] : [-1, columns],
    })),
  }
}

function readiness(ready: boolean, named: { readonly name?: string }): Response {
  return Response.json({ ...named, ready }, { status: ready ? 200 : 503 })
}
