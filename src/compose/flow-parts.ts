import type { Config } from "../config.ts"
import type { EvidenceEvent } from "../events.ts"
import { classifyPayloads } from "../operators/classify-payloads.ts"
import { combineScoresOperator } from "../operators/combine-scores.ts"
import { decodeEvent } from "../operators/decode-event.ts"
import { enrichSession } from "../operators/enrich-session.ts"
import { explainVerdict } from "../operators/explain-verdict.ts"
import { featurizeSession } from "../operators/featurize-session.ts"
import { fetchEvidence } from "../operators/fetch-evidence.ts"
import { scoreAnomaly } from "../operators/score-anomaly.ts"
import { verifyIntegrity } from "../operators/verify-integrity.ts"
import type { AnalysisParts } from "../pipeline.ts"
import type { ObjectStore } from "../ports.ts"
import type { Models } from "./models.ts"

/** The two producers' topics, and the inbox: what each carries (contract, section 1). */
export const FORMS: Readonly<Record<string, EvidenceEvent["form"]>> = {
  "events.evidence_created": "created",
  "cerberus.evidence.ready": "ready",
  inbox: "document",
}

/** The operators of the analysis flow, with their ports filled in. */
export function analysisParts(
  models: Models,
  config: Pick<Config, "thresholds" | "weights">,
  objects: ObjectStore,
): AnalysisParts {
  const judging = { ...models, thresholds: config.thresholds, weights: config.weights }
  return {
    decode: decodeEvent(FORMS),
    fetch: fetchEvidence({ objects }),
    verify: verifyIntegrity(),
    enrich: enrichSession(),
    featurize: featurizeSession(),
    classify: classifyPayloads(models.classifier),
    scoreAnomaly: scoreAnomaly(models.anomaly),
    combine: combineScoresOperator(judging),
    explain: explainVerdict(judging),
  }
}
