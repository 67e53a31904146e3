import type { Classification, PayloadSpan } from "../events.ts"
import type { PayloadInput } from "../ports.ts"
import { HttpError } from "./http-error.ts"
import type { ApiParts, SignatureOpinion } from "./parts.ts"
import type { PredictRequest } from "./schemas.ts"

export type JudgeParts = Pick<
  ApiParts,
  "classifier" | "signatures" | "secondTier" | "telemetry" | "log"
>

/** A payload with what the client says of the place that it stood in. */
export interface PayloadQuestion {
  readonly input: PayloadInput
  readonly sessionId?: string
}

export interface JudgedPayload {
  readonly classification: Classification
  readonly cached: boolean
}

/** Why a payload was judged as it was. */
export interface PayloadReasons {
  /** Stretches of the payload, weightiest first, with their Shapley values in log-odds. */
  readonly spans: readonly Omit<PayloadSpan, "payload_id">[]
  readonly signatures?: {
    readonly class: string
    readonly agrees: boolean
    readonly matched: readonly string[]
  }
}

/** What the client says of the place tells the model which kind of text to expect there. */
export function toQuestion({ payload, context }: PredictRequest): PayloadQuestion {
  if (context === undefined) return { input: { text: payload } }
  const { kind, param, path, method, content_type: contentType, session_id: sessionId } = context
  const place = {
    ...(param && { param }),
    ...(path && { path }),
    ...(method && { method }),
    ...(contentType && { contentType }),
  }
  const input = { text: payload, ...(kind && { kind }), context: place }
  return sessionId ? { input, sessionId } : { input }
}

/**
 * One model call, synchronous: two requests for one payload cannot be judged at the same time, and
 * the second one finds the answer of the first in the cache.
 *
 * @throws {HttpError} UNAVAILABLE, never a benign answer: the caller must know that nobody judged it
 */
export function judgePayload(
  { input, sessionId }: PayloadQuestion,
  parts: JudgeParts,
): JudgedPayload {
  try {
    const options = sessionId === undefined ? undefined : { sessionId }
    const { classification, cached, elapsedMs } = parts.classifier.lookup(input, options)
    if (elapsedMs !== undefined) {
      parts.telemetry.inferred(classification.model, elapsedMs / 1_000)
    }
    return { classification, cached }
  } catch (error) {
    const reason = error instanceof Error ? error.name : typeof error
    parts.log.error("the payload model failed", { reason })
    throw new HttpError("UNAVAILABLE", "the model is not available")
  }
}

export function explainPayload(
  { input }: PayloadQuestion,
  { classification }: JudgedPayload,
  { classifier, signatures }: JudgeParts,
): PayloadReasons {
  const spans = classifier.explain(input, undefined, classification.model)
  const opinion = signatures?.(input)
  return { spans, ...(opinion && { signatures: secondOpinion(opinion, classification) }) }
}

function secondOpinion({ class: word, matched }: SignatureOpinion, judged: Classification) {
  return { class: word, agrees: word === judged.class, matched }
}

const knownTexts = new WeakMap<Classification, string>()

/** The answer as JSON. What the cache remembers is written once for all who ask for it. */
export function predictionText(judged: JudgedPayload, reasons?: PayloadReasons): string {
  const { classification, cached } = judged
  if (reasons !== undefined || !cached) {
    return JSON.stringify({ ...classification, cached, ...reasons })
  }
  const known = knownTexts.get(classification)
  if (known !== undefined) return known
  const text = JSON.stringify({ ...classification, cached })
  knownTexts.set(classification, text)
  return text
}
