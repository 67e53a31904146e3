import { publicError } from "../../errors.ts"
import type { SecondTier } from "../../model-traffic.ts"
import { askSecondTier } from "../ask-second-tier.ts"
import { readJson } from "../body.ts"
import {
  explainPayload,
  type JudgedPayload,
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
      const arrival = arrivalOf(parts)
      const asked = read(await readJson(request, PREDICT_BYTES_MAX))
      return answerTo(asked, arrival, parts)
    },
  }
}

interface Arrival {
  readonly second: SecondTier
  readonly arrivedMs: number
}

/** undefined where the fast tier answers alone: then nothing else is asked or made. */
function arrivalOf({ secondTier }: JudgeParts): Arrival | undefined {
  const second = secondTier?.live
  return second && { second, arrivedMs: performance.now() }
}

/** At once where the fast tier's answer stands. */
function answerTo(
  asked: PredictRequest,
  arrival: Arrival | undefined,
  parts: JudgeParts,
): string | Promise<string> {
  const question = toQuestion(asked)
  const judged = judgePayload(question, parts)
  const { explain = false, tier } = asked
  if (arrival !== undefined || tier !== undefined) {
    const seconded = askSecondTier(question, judged, { ...arrival, tier, ...parts })
    if (seconded !== undefined) {
      return seconded.then((given) => answerText({ question, explain }, given, parts))
    }
  }
  return answerText({ question, explain }, judged, parts)
}

function answerText(
  { question, explain }: { readonly question: PayloadQuestion; readonly explain: boolean },
  judged: JudgedPayload,
  parts: JudgeParts,
): string {
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
      const arrival = arrivalOf(parts)
      const { payloads, ...wish } = read(await readJson(request, BATCH_BYTES_MAX))
      const turns = new Turns()
      let failed = 0
      const refused = (index: number, thrown: unknown): string => {
        failed += 1
        return JSON.stringify({ error: errorAt(index, thrown) })
      }
      const texts: (string | Promise<string>)[] = []
      for (const [index, item] of payloads.entries()) {
        await turns.pause()
        try {
          const asked = { ...readItem(asRequest(item)), ...wishOf(wish) }
          const answer = answerTo(asked, arrival, parts)
          // the second tier judges beside: what it is late for stays the fast tier's
          texts.push(
            typeof answer === "string" ? answer : answer.catch((thrown) => refused(index, thrown)),
          )
        } catch (thrown) {
          texts.push(refused(index, thrown))
        }
      }
      const results = (await Promise.all(texts)).join()
      const body = `{"results":[${results}],"count":${texts.length},"failed":${failed}}`
      return new Response(body, { headers: { "content-type": "application/json" } })
    },
  }
}

/** What is said of the batch holds for each of its payloads. */
function wishOf({ explain = false, tier }: Pick<PredictRequest, "explain" | "tier">) {
  return tier === undefined ? { explain } : { explain, tier }
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
