import { systemClock } from "../clock.ts"
import type { Config } from "../config.ts"
import type { EvidenceEvent, ExplainedVerdict, FetchedEvidence } from "../events.ts"
import { classifyPayloads } from "../operators/classify-payloads.ts"
import { combineScoresOperator } from "../operators/combine-scores.ts"
import { decodeEvent } from "../operators/decode-event.ts"
import { enrichSession } from "../operators/enrich-session.ts"
import { explainVerdict } from "../operators/explain-verdict.ts"
import { featurizeSession } from "../operators/featurize-session.ts"
import { fetchEvidence } from "../operators/fetch-evidence.ts"
import { type JudgingThreads, judgeEvidence } from "../operators/judge-evidence.ts"
import { scoreAnomaly } from "../operators/score-anomaly.ts"
import { verifyIntegrity } from "../operators/verify-integrity.ts"
import { type AnalysisParts, buildJudging, type JudgingParts } from "../pipeline.ts"
import type { ObjectStore } from "../ports.ts"
import { DEFAULT_RETRY } from "../stream/backoff.ts"
import { Executor, type OperatorStats } from "../stream/execute.ts"
import type { EngineObserver, Operator } from "../stream/types.ts"
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
  return {
    decode: decodeEvent(FORMS),
    fetch: fetchEvidence({ objects }),
    ...judgingParts(models, config),
  }
}

/** Those that need nothing but the evidence itself. */
export function judgingParts(
  models: Models,
  config: Pick<Config, "thresholds" | "weights">,
): JudgingParts {
  const judging = { ...models, thresholds: config.thresholds, weights: config.weights }
  return {
    verify: verifyIntegrity(),
    enrich: enrichSession(),
    featurize: featurizeSession(),
    classify: classifyPayloads(models.classifier),
    scoreAnomaly: scoreAnomaly(models.anomaly),
    combine: combineScoresOperator(judging),
    explain: explainVerdict(judging),
  }
}

export interface ThreadedJudging {
  readonly operator: Operator<FetchedEvidence, ExplainedVerdict>
  /** Of the steps inside. Each runs here and in every thread; what is inside and waits is so here. */
  operatorStats(): readonly OperatorStats[]
}

/** The judging steps as one operator: by threads under load, here otherwise. */
export function threadedJudging(
  parts: JudgingParts,
  running: { readonly threads: JudgingThreads; readonly observer: EngineObserver },
): ThreadedJudging {
  const { threads, observer } = running
  const executor = new Executor(buildJudging(parts), {
    ...{ clock: systemClock, observer, random: Math.random, retry: DEFAULT_RETRY },
  })
  const operator = judgeEvidence({
    threads,
    judgeHere: async (evidence, { key, eventTimeMs, record, signal }) => {
      const context = { key, eventTimeMs, record, signal, staged: undefined }
      return (await executor.run(evidence, context)) as ExplainedVerdict
    },
  })
  const places = threads.count + 1
  return {
    operator,
    operatorStats: () =>
      executor
        .operatorStats()
        .map((stats) => ({ ...stats, concurrency: stats.concurrency * places })),
  }
}
