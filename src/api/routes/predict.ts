import { publicError } from "../../errors.ts"
import { readJson } from "../body.ts"
import {
  explainPayload,
  type JudgeParts,
  judgePayload,
  type PayloadQuestion,
  predictionText,
  toQuestion,
} from "../judge-payload.ts"
import {
  createReader,
  PREDICT_BATCH_MAX,
  type PredictRequest,
  predictAnswer,
  predictBatchAnswer,
  predictBatchRequest,
  predictRequest,
} from "../schemas.ts"
import { Turns } from "../turns.ts"
import { BASE, PREDICT_BYTES_MAX, type Route } from "./route.ts"

const BATCH_BYTES_MAX = 4 * 1_024 * 1_024

export function predictRoutes(parts: JudgeParts): readonly Route[] {
  return [predictPayload(parts), predictBatch(parts)]
}

/** The hot path: one read of the body, one check, one model call; nothing is written. */
function predictPayload(parts: JudgeParts): Route {
  const read = createReader(predictRequest)
  return {
    method: "POST",
    path: `${BASE}/predict-payload`,
    summary: "Classify one payload",
    bytesMax: PREDICT_BYTES_MAX,
    body: predictRequest,
    answer: predictAnswer,
    isDirect: true,
    async handle({ request }) {
      const asked = read(await readJson(request, PREDICT_BYTES_MAX))
      return answerTo(toQuestion(asked), asked.explain === true, parts)
    },
  }
}

function answerTo(question: PayloadQuestion, explain: boolean, parts: JudgeParts): string {
  const judged = judgePayload(question, parts)
  return predictionText(judged, explain ? explainPayload(question, judged, parts) : undefined)
}

/** Up to 1,000 payloads, answered in order; one that cannot be judged spoils no other. */
function predictBatch(parts: JudgeParts): Route {
  const read = createReader(predictBatchRequest)
  const readItem = createReader(predictRequest)
  return {
    method: "POST",
    path: `${BASE}/predict-payload/batch`,
    summary: `Classify 1 to ${PREDICT_BATCH_MAX} payloads`,
    bytesMax: BATCH_BYTES_MAX,
    body: predictBatchRequest,
    answer: predictBatchAnswer,
    async handle({ request }) {
      const { payloads, explain = false } = read(await readJson(request, BATCH_BYTES_MAX))
      const turns = new Turns()
      const texts: string[] = []
      let failed = 0
      for (const [index, item] of payloads.entries()) {
        await turns.pause()
        try {
          texts.push(answerTo(toQuestion(readItem(asRequest(item))), explain, parts))
        } catch (thrown) {
          texts.push(JSON.stringify({ error: errorAt(index, thrown) }))
          failed += 1
        }
      }
      const body = `{"results":[${texts.join()}],"count":${texts.length},"failed":${failed}}`
      return new Response(body, { headers: { "content-type": "application/json" } })
    },
  }
}

/** A text alone is a payload without context. */
function asRequest(item: unknown): unknown {
  return typeof item === "string" ? ({ payload: item } satisfies PredictRequest) : item
}

function errorAt(index: number, thrown: unknown) {
  const { field, ...error } = publicError(thrown)
  const within = field === undefined || field === "body" ? "" : `.${field}`
  return { ...error, field: `payloads.${index}${within}` }
}
