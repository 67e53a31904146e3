import type {
  AnomalyScore,
  EnrichedEvidence,
  EvidenceEvent,
  ExplainedVerdict,
  FeaturizedEvidence,
  FetchedEvidence,
  JudgedEvidence,
  PayloadPrediction,
  RecordedVerdict,
  ScoredEvidence,
  VerifiedEvidence,
} from "./events.ts"
import { Dataflow } from "./stream/dataflow.ts"
import type { Operator, Sink, SourceRecord } from "./stream/types.ts"

export interface JudgingParts {
  readonly verify: Operator<FetchedEvidence, VerifiedEvidence>
  readonly enrich: Operator<VerifiedEvidence, EnrichedEvidence>
  readonly featurize: Operator<EnrichedEvidence, FeaturizedEvidence>
  readonly classify: Operator<FeaturizedEvidence, readonly PayloadPrediction[]>
  readonly scoreAnomaly: Operator<FeaturizedEvidence, AnomalyScore>
  readonly combine: Operator<ScoredEvidence, JudgedEvidence>
  readonly explain: Operator<JudgedEvidence, ExplainedVerdict>
}

export interface AnalysisParts extends JudgingParts {
  readonly decode: Operator<SourceRecord, EvidenceEvent>
  readonly fetch: Operator<EvidenceEvent, FetchedEvidence>
  /** Stands for the steps of `buildJudging`, which it does in threads; absent = they are the flow's own. */
  readonly judge?: Operator<FetchedEvidence, ExplainedVerdict>
}

export interface PipelineParts extends AnalysisParts {
  /** First write wins: a redelivered event goes on with the verdict that the store holds. */
  readonly record: Operator<ExplainedVerdict, RecordedVerdict>
  readonly announce: Sink<ExplainedVerdict>
  /** Hands a session on to the simulation, through its queue. */
  readonly enqueueSimulation: Sink<ExplainedVerdict>
  readonly publish: readonly Sink<ExplainedVerdict>[]
}

/** From the bytes of an announcement to an explained verdict; no side effect but reading objects. */
export function buildAnalysis(parts: AnalysisParts): Dataflow<SourceRecord, ExplainedVerdict> {
  const fetched = Dataflow.named<SourceRecord>("analysis").via(parts.decode).via(parts.fetch)
  const judging = buildJudging(parts)
  return parts.judge ? fetched.via(parts.judge, judging) : fetched.through(judging)
}

/** From the bytes of the evidence to its explained verdict: computation, and nothing else. */
export function buildJudging(parts: JudgingParts): Dataflow<FetchedEvidence, ExplainedVerdict> {
  return Dataflow.named<FetchedEvidence>("judging")
    .via(parts.verify)
    .via(parts.enrich)
    .via(parts.featurize)
    .parallel("scores", { classification: parts.classify, anomaly: parts.scoreAnomaly })
    .via(parts.combine)
    .via(parts.explain)
}

/** The analysis flow, whole: evidence in, verdicts stored, announced and published. */
export function buildPipeline(parts: PipelineParts): Dataflow<SourceRecord, ExplainedVerdict> {
  return buildAnalysis(parts)
    .via(parts.record)
    .branch("novelty", ({ isRepeat }) => (isRepeat ? "repeat" : "first"), {
      first: (stream) => handOn(stream, parts),
      repeat: (stream) => stream,
    })
}

function handOn<In>(recorded: Dataflow<In, RecordedVerdict>, parts: PipelineParts) {
  const judged = recorded.branch("verdict", ({ verdict }) => verdict.verdict, {
    simulate: (stream) => stream.to(parts.announce).to(parts.enqueueSimulation),
    tag: (stream) => stream,
    benign: (stream) => stream,
  })
  return parts.publish.reduce((stream, sink) => stream.to(sink), judged)
}
