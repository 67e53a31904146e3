import { readJson } from "../body.ts"
import { HttpError } from "../http-error.ts"
import { falsePositiveRequest, sampleAnswer } from "../model-schemas.ts"
import type { OperatingParts } from "../parts.ts"
import { createReader } from "../schemas.ts"
import { BASE, type Route } from "./route.ts"

/** A payload of the largest size, escaped as JSON may be. */
const REPORT_BYTES_MAX = 512 * 1_024

/** What reviewers say of verdicts. */
export function falsePositiveRoutes(parts: {
  readonly operating: OperatingParts
}): readonly Route[] {
  const read = createReader(falsePositiveRequest)
  return [
    {
      method: "POST",
      path: `${BASE}/dataset/add-false-positive`,
      summary: "Report a payload that was called an attack and is none",
      changes: true,
      bytesMax: REPORT_BYTES_MAX,
      body: falsePositiveRequest,
      answer: sampleAnswer,
      async handle({ request }) {
        const { sample, reviewer } = read(await readJson(request, REPORT_BYTES_MAX))
        const { falsePositives } = parts.operating
        if (falsePositives === undefined) {
          throw new HttpError("UNAVAILABLE", "this process takes no reports")
        }
        const novelty = await falsePositives.report({
          payload: sample.payload,
          sessionId: sample.session_id,
          originalLabel: sample.original_label,
          notes: sample.notes,
          reviewer,
        })
        const message = novelty === "new" ? "the report is kept" : "it was reported before"
        return { status: "success", message }
      },
    },
  ]
}
