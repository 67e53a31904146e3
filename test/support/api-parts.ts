import type { ModelOperations } from "../../src/api/model-operations.ts"
import type { ApiParts } from "../../src/api/parts.ts"
import { MalformedError, ModelNotPromotableError, ModelUnknownError } from "../../src/errors.ts"
import type { ExplainedVerdict, Explanation, Features, Verdict } from "../../src/events.ts"
import { createLogger } from "../../src/log.ts"
import type { Analyzer, CachedClassifier, Enrichment, VerdictStore } from "../../src/ports.ts"
import { createTelemetry } from "../../src/telemetry.ts"
import { fakeClassifier } from "./fake-classifier.ts"

/** Small in-memory ports: enough behaviour to see what the API passes in and out of them. */

export const profile = {
  action_sequence: ["probe", "inject"],
  action_count: 2,
  ttps: ["T1190"],
  intent: "exploitation",
  sophistication_score: 4.5,
  duration_seconds: 12,
  unique_endpoints: 2,
  tool_signatures: ["sqlmap"],
  summary: "two requests, one injection",
}

export function verdictOf(eventId: string, sessionId: string): Verdict {
  return {
    event_id: eventId,
    session_id: sessionId,
    timestamp: "2026-01-02T03:04:05.000Z",
    timestamp_source: "event",
    verdict: "simulate",
    final_score: 0.9,
    payload_score: 0.95,
    behavioral_score: 0.2,
    behavioral_method: "forest",
    payload_predictions: [],
    features: { n_requests: 2 },
    integrity: "verified",
    evidence_sha256: "0".repeat(64),
    model: { payload: "payload-test/1", anomaly: "forest-test/1" },
    degraded: false,
    degraded_reasons: [],
    truncated: false,
    profile,
    context: { source: "test", tags: [] },
  }
}

function explanationOf(sessionId: string, features: Features): Explanation {
  return {
    session_id: sessionId,
    verdict: "simulate",
    final_score: 0.9,
    base_value: 0.1,
    narrative: "why",
    feature_importances: Object.entries(features).map(([feature, value]) => ({
      feature,
      value,
      importance: 0.8,
    })),
    shap_summary: {
      top_positive_features: [],
      top_negative_features: [],
      total_positive_contribution: 0.8,
      total_negative_contribution: 0,
    },
    top_contributors: [],
    top_contradictors: [],
    payload_spans: [],
    generated_at: "2026-01-02T03:04:06.000Z",
  }
}

export interface Seen {
  readonly analyzed: { text: string; enrichment: Enrichment | undefined }[]
  readonly submitted: { bytes: Uint8Array; enrichment: Enrichment | undefined }[]
  readonly explained: Features[]
  readonly classified: unknown[]
  readonly logged: string[]
}

function memoryAnalyzer(seen: Seen): Analyzer {
  return {
    async analyze(bytes, options) {
      const text = new TextDecoder().decode(bytes)
      seen.analyzed.push({ text, enrichment: options?.enrichment })
      const document: unknown = JSON.parse(text)
      const session = (document as { session_id?: unknown }).session_id
      if (typeof session !== "string") throw new MalformedError("session_id", "string")
      return { verdict: verdictOf("e", session), explanation: explanationOf(session, {}) }
    },
    explain(features, verdict) {
      seen.explained.push(features)
      return { ...explanationOf("unknown", features), verdict }
    },
    profile: () => profile,
  }
}

function memoryClassifier(seen: Seen): CachedClassifier {
  const known = new Set<string>()
  const classifier = fakeClassifier({
    modelId: modelInfo.modelId,
    attackIn: (text) => (text.includes("'") ? 0.75 : 0.25),
  })
  return {
    ...classifier,
    info: modelInfo,
    lookup(input) {
      seen.classified.push(input)
      const key = JSON.stringify(input)
      const cached = known.has(key)
      known.add(key)
      return { classification: classifier.classify(input), cached }
    },
    cacheStats: () => ({ entries: known.size, entriesMax: 10, hits: 1, misses: 2 }),
  }
}

export const modelInfo = {
  modelId: "payload-test/1",
  modelType: "linear",
  trainedAt: "2026-01-01T00:00:00Z",
  trainingSamples: 100,
  validationSamples: 20,
  metrics: { precision: 0.9, recall: 0.8, f1: 0.85, fpr: 0.01 },
}

function memoryModels(): ModelOperations {
  const summary = {
    info: modelInfo,
    state: "live",
    percent: 100,
    origin: "shipped",
    obstacles: ["it is live already"],
  } as const
  const change = { modelId: modelInfo.modelId, state: "live", percent: 100, at: "2026" } as const
  return {
    list: async () => [summary],
    async show(modelId) {
      if (modelId !== modelInfo.modelId) throw new ModelUnknownError()
      const of = { card: "# card", gates: {}, lineage: {}, transitions: [], traffic: null }
      return { ...summary, ...of, comparison: null }
    },
    async promote({ percent }) {
      if (percent < 100)
        throw new ModelNotPromotableError(["recall is 0.5, at least 0.8 is required"])
      return change
    },
    rollback: async () => change,
    health: () => ({
      plan: { revision: 0, live: modelInfo.modelId, lastGood: undefined, trial: undefined },
      models: [{ modelId: modelInfo.modelId, breaker: "closed", errorRate: 0, degraded: 0 }],
      cache: { entries: 0, entriesMax: 10, hits: 1, misses: 2 },
      skippedComparisons: 0,
    }),
  }
}

export function memoryStore(stored: readonly ExplainedVerdict[]): VerdictStore {
  return {
    put: () => Promise.reject(new Error("the API never writes a verdict")),
    record: () => Promise.reject(new Error("the API never writes a verdict")),
    novelty: () => "new",
    byEvent: (eventId) => stored.find(({ verdict }) => verdict.event_id === eventId),
    query({ sessionId, sinceMs = 0, limit, cursor = "0" }) {
      if (!/^\d+$/.test(cursor)) throw new MalformedError("cursor", "a cursor of this service")
      const start = Number(cursor)
      const matching = stored
        .filter(({ verdict }) => sessionId === undefined || verdict.session_id === sessionId)
        .filter(({ eventTimeMs }) => eventTimeMs >= sinceMs)
      const items = matching.slice(start, start + limit)
      const next = start + items.length
      return { items, cursor: next < matching.length ? String(next) : undefined }
    },
    count: () => stored.length,
    close: () => Promise.resolve(),
  }
}

export function storedVerdict(eventId: string, sessionId: string, eventTimeMs: number) {
  return {
    idempotencyKey: eventId,
    eventTimeMs,
    verdict: verdictOf(eventId, sessionId),
    explanation: explanationOf(sessionId, {}),
  }
}

/** Parts of an API that is bound to loopback without a token, and what they have seen. */
export function memoryParts(changed: Partial<ApiParts> = {}): { parts: ApiParts; seen: Seen } {
  const seen: Seen = { analyzed: [], submitted: [], explained: [], classified: [], logged: [] }
  const clock = { nowMs: () => 1_000 }
  const telemetry = createTelemetry()
  telemetry.close()
  const parts: ApiParts = {
    host: "127.0.0.1",
    apiToken: undefined,
    telemetry,
    ready: () => ({ ready: true, reasons: [] }),
    version: "1.2.3",
    clock,
    log: createLogger({ ...clock, write: (line) => seen.logged.push(line) }),
    analyzer: memoryAnalyzer(seen),
    classifier: memoryClassifier(seen),
    signatures: undefined,
    verdicts: memoryStore([]),
    models: [modelInfo],
    async submitEvidence(bytes, enrichment) {
      seen.submitted.push({ bytes, enrichment })
      return { eventId: "event-1" }
    },
    operating: { deadLetters: undefined, topology: undefined, models: memoryModels() },
    stats: () => ({
      verdicts: { simulate: 1, tag: 2, benign: 3 },
      deadLetters: 4,
      engine: { in_flight: 5 },
    }),
    ...changed,
  }
  return { parts, seen }
}
