import type { Classification } from "../../events.ts"
import type { PayloadInput } from "../../ports.ts"
import { readJson } from "../body.ts"
import { CircuitBreaker } from "../circuit-breaker.ts"
import { HttpError } from "../http-error.ts"
import type { ApiParts, SignatureOpinion } from "../parts.ts"
import {
  createReader,
  modelHealthAnswer,
  type PredictRequest,
  predictAnswer,
  predictRequest,
} from "../schemas.ts"
import { BASE, PREDICT_BYTES_MAX, type Route } from "./route.ts"

type Parts = Pick<ApiParts, "classifier" | "signatures" | "telemetry" | "clock" | "log">

export function predictRoutes(parts: Parts): readonly Route[] {
  const breaker = new CircuitBreaker(() => parts.clock.nowMs())
  return [predictPayload(parts, breaker), modelServerHealth(parts, breaker)]
}

/** The hot path: one read of the body, one check, one model call; nothing is written. */
function predictPayload(parts: Parts, breaker: CircuitBreaker): Route {
  const read = createReader(predictRequest)
  const { signatures } = parts
  return {
    method: "POST",
    path: `${BASE}/predict-payload`,
    summary: "Classify one payload",
    bytesMax: PREDICT_BYTES_MAX,
    body: predictRequest,
    answer: predictAnswer,
    async handle({ request }) {
      const input = toInput(read(await readJson(request, PREDICT_BYTES_MAX)))
      const { classification, cached } = lookUp(input, parts, breaker)
      const answer = { ...classification, cached }
      if (signatures === undefined) return answer
      return { ...answer, signatures: secondOpinion(signatures(input), classification) }
    },
  }
}

function lookUp(input: PayloadInput, parts: Parts, breaker: CircuitBreaker) {
  if (breaker.open) throw new HttpError("UNAVAILABLE", "the model is not available")
  const startedMs = performance.now()
  try {
    const found = parts.classifier.lookup(input)
    breaker.succeeded()
    if (!found.cached) {
      parts.telemetry.inferred(found.classification.model, (performance.now() - startedMs) / 1_000)
    }
    return found
  } catch (error) {
    breaker.failed()
    parts.log.error("the payload model failed", { reason: nameOf(error) })
    // Never a benign answer from a failure: the caller must know that nobody judged this.
    throw new HttpError("UNAVAILABLE", "the model is not available")
  }
}

function secondOpinion(opinion: SignatureOpinion, classification: Classification) {
  const { class: word, matched } = opinion
  return { class: word, agrees: word === classification.class, matched }
}

/** What the client says of the place tells the model which kind of text to expect there. */
function toInput({ payload, context }: PredictRequest): PayloadInput {
  if (context === undefined) return { text: payload }
  const { kind, param, path, method, content_type: contentType } = context
  const place = {
    ...(param && { param }),
    ...(path && { path }),
    ...(method && { method }),
    ...(contentType && { contentType }),
  }
  return { text: payload, ...(kind && { kind }), context: place }
}

function modelServerHealth(parts: Parts, breaker: CircuitBreaker): Route {
  return {
    method: "GET",
    path: `${BASE}/model-server/health`,
    summary: "State of the model that answers predict-payload",
    answer: modelHealthAnswer,
    handle() {
      const { entries, entriesMax, hits, misses } = parts.classifier.cacheStats()
      const { open, errorRate } = breaker
      return {
        status: open || errorRate > 0 ? "degraded" : "healthy",
        model: parts.classifier.info.modelId,
        circuit_breaker: { open, recent_error_rate: errorRate },
        cache: { size: entries, max_size: entriesMax, hits, misses },
        canary_percent: 0,
      }
    },
  }
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error
}
