import { systemClock } from "../clock.ts"
import type { Config } from "../config.ts"
import { ObjectNotFoundError } from "../errors.ts"
import { sessionFromCaptures } from "../evidence/read-session.ts"
import { profileSession } from "../ml/sessions/profile.ts"
import { featureExplainer } from "../operators/explain-verdict.ts"
import { buildAnalysis } from "../pipeline.ts"
import type { Analyzer, Enrichment, ObjectStore } from "../ports.ts"
import { Evaluation } from "../stream/evaluate.ts"
import type { SourceRecord } from "../stream/types.ts"
import { observeNothing } from "./engine-observer.ts"
import { analysisParts } from "./flow-parts.ts"
import type { Models } from "./models.ts"

/** A document carries its evidence in itself: nothing is ever fetched for a caller. */
const noObjects: ObjectStore = {
  name: "none",
  list: () => Promise.reject(new ObjectNotFoundError()),
  get: () => Promise.reject(new ObjectNotFoundError()),
  ping: () => Promise.resolve(),
}

/** The analysis flow of the pipeline, for one document at a time and without its sinks. */
export function createAnalyzer(
  models: Models,
  config: Pick<Config, "thresholds" | "weights">,
): Analyzer {
  const flow = buildAnalysis(analysisParts(models, config, noObjects))
  const parts = { clock: systemClock, observer: observeNothing, random: Math.random }
  const evaluation = new Evaluation(flow, parts)
  const judging = { ...models, thresholds: config.thresholds, weights: config.weights }
  const explain = featureExplainer(judging, systemClock.nowMs)
  return {
    async analyze(bytes, { enrichment, signal = new AbortController().signal } = {}) {
      const { verdict, explanation } = await evaluation.evaluate(
        documentRecord(bytes, enrichment),
        signal,
      )
      return { verdict, explanation }
    },
    explain,
    profile: (sessionId, captures) => profileSession(sessionFromCaptures(sessionId, captures)),
  }
}

function documentRecord(bytes: Uint8Array, enrichment: Enrichment | undefined): SourceRecord {
  const nowMs = systemClock.nowMs()
  return {
    topic: "inbox",
    partition: 0,
    offset: 0n,
    key: null,
    value: bytes,
    headers: enrichment === undefined ? {} : { enrichment: JSON.stringify(enrichment) },
    timestampMs: nowMs,
    receivedAtMs: nowMs,
  }
}
