/**
 * The record types of the analysis flow, in the order in which a piece of evidence becomes them.
 * Each step extends the one before, so a step out of order does not compile.
 */

export const PAYLOAD_CLASSES = [
  "sql_injection",
  "xss",
  "command_injection",
  "path_traversal",
  "other_attack",
  "benign",
] as const
export type PayloadClass = (typeof PAYLOAD_CLASSES)[number]

/** Where in a request a text stood; it informs the classifier. */
export const PAYLOAD_KINDS = ["param", "path", "header", "cookie", "body", "request"] as const
export type PayloadKind = (typeof PAYLOAD_KINDS)[number]

export type VerdictWord = "simulate" | "tag" | "benign"

/** "verified": every announced digest was checked. "unverified": nothing was announced. */
export type Integrity = "verified" | "unverified"

/** What is known of the session besides its requests. */
export interface SessionContext {
  readonly tags: readonly string[]
  readonly attackerIp?: string
  readonly isTor: boolean
  readonly isVpn: boolean
  readonly priorPoiCount: number
  readonly country?: string
  readonly asn?: string
}

/** Where the evidence lies: `bucket` and one `key`, or a `prefix` with several objects under it. */
export type ObjectLocation =
  | { readonly kind: "object"; readonly bucket: string; readonly key: string }
  | { readonly kind: "prefix"; readonly bucket: string; readonly prefix: string }
  | { readonly kind: "inline"; readonly bytes: Uint8Array }

/**
 * Where an event time comes from: the announcing event, the evidence itself, or, where neither says
 * any, the clock at its arrival; then alone two runs over the same evidence differ in it.
 */
export type EventTimeSource = "event" | "evidence" | "arrival"

/** Evidence as announced: form A (`created`), form B (`ready`), or a bare document. */
export interface EvidenceEvent {
  readonly form: "created" | "ready" | "document"
  readonly eventId: string
  /** What makes a redelivery recognisable: the event id, in form B with the checksum. */
  readonly idempotencyKey: string
  readonly sessionId: string
  readonly eventTimeMs: number
  readonly eventTimeSource: EventTimeSource
  readonly source: string
  readonly location: ObjectLocation
  /** sha256 (lower-case hex) of the object in form A, of the digests' concatenation in form B. */
  readonly sha256: string | undefined
  readonly context: SessionContext
}

export interface StoredObject {
  readonly key: string
  readonly bytes: Uint8Array
  readonly modifiedMs: number
}

export interface FetchedEvidence extends EvidenceEvent {
  readonly objects: readonly StoredObject[]
}

export interface ExtractedPayload {
  readonly id?: string
  readonly type?: string
  readonly value: string
  readonly location?: string
  readonly confidence?: number
}

/** The content of the evidence, whichever form carried it. `har` is the HAR log object. */
export interface EvidenceDocument {
  readonly har: unknown
  readonly extractedPayloads: readonly ExtractedPayload[]
  readonly behavior?: unknown
  readonly metadata?: unknown
}

export interface VerifiedEvidence extends EvidenceEvent {
  readonly integrity: Integrity
  /** sha256 of the evidence as received: the object, or the form B checksum rule. */
  readonly evidenceSha256: string
  readonly document: EvidenceDocument
}

export interface SessionRequest {
  readonly index: number
  /** Epoch milliseconds, undefined where the producer gave no usable time. */
  readonly startedMs: number | undefined
  readonly timeMs: number
  readonly method: string
  /** As the producer wrote it: relative, unencoded or absolute. */
  readonly url: string
  readonly path: string
  readonly query: string
  readonly headers: readonly { readonly name: string; readonly value: string }[]
  readonly userAgent: string
  readonly body: string
  readonly status: number
  readonly responseBytes: number
}

/** One text that an attacker could have chosen, with every place in which it was seen. */
export interface SessionPayload {
  readonly id: string
  readonly text: string
  readonly kind: PayloadKind
  /** e.g. `query:q`, `path:2`, `json:$.user.name`, `cookie:theme`, `header:referer`. */
  readonly location: string
  readonly origin: "har" | "producer"
  readonly requestIndex: number | undefined
}

export interface Session {
  readonly sessionId: string
  readonly requests: readonly SessionRequest[]
  readonly payloads: readonly SessionPayload[]
  readonly context: SessionContext
  /** True where a bound cut requests or payloads: said in the verdict, never silent. */
  readonly truncated: boolean
}

export interface EnrichedEvidence extends Omit<VerifiedEvidence, "document"> {
  readonly session: Session
}

/** Every feature of the table by name, all finite. */
export type Features = Readonly<Record<string, number>>

export interface FeaturizedEvidence extends EnrichedEvidence {
  readonly features: Features
}

export type ScoringMethod = "ml" | "rules" | "degraded"

export interface Classification {
  readonly class: string
  /** Calibrated probability of `class`, 0..1. */
  readonly confidence: number
  /** By class, sums to 1, `benign` always there. */
  readonly probabilities: Readonly<Record<string, number>>
  readonly method: ScoringMethod
  readonly model: string
  /** True where the model in charge did not answer and an earlier one or the rules stood in. */
  readonly degraded?: true
  /** The model of the second tier that had a say; absent where it had none. */
  readonly second_model?: string
}

export interface PayloadPrediction extends Classification {
  readonly payload: SessionPayload
}

export interface AnomalyScore {
  /** 0 (ordinary) .. 1 (anomalous). */
  readonly score: number
  readonly method: "forest" | "heuristic"
  readonly model: string
}

/** A scorer that failed: the verdict says so and never reads as benign. */
export interface ScorerFailure {
  readonly failed: string
}

export interface ScoredEvidence extends FeaturizedEvidence {
  readonly scores: {
    readonly classification: readonly PayloadPrediction[] | ScorerFailure
    readonly anomaly: AnomalyScore | ScorerFailure
  }
}

/** The wire form of a prediction inside a verdict (contract, section 3). */
export interface PredictionDocument {
  readonly payload_id: string
  /** First 100 characters, credentials redacted. */
  readonly payload_value: string
  readonly class: string
  readonly confidence: number
  readonly method: ScoringMethod
  readonly location: string
}

/** The wire form of a verdict (contract, sections 1 and 3). */
export interface Verdict {
  readonly event_id: string
  readonly session_id: string
  /** ISO 8601, event time: the same evidence gives the same verdict. */
  readonly timestamp: string
  /** "arrival" where nothing says when the session was: `timestamp` is when its evidence came. */
  readonly timestamp_source: EventTimeSource
  readonly verdict: VerdictWord
  /** 0..1 */
  readonly final_score: number
  readonly payload_score: number
  readonly behavioral_score: number
  readonly behavioral_method: "forest" | "heuristic" | "degraded"
  readonly payload_predictions: readonly PredictionDocument[]
  readonly features: Features
  readonly integrity: Integrity
  readonly evidence_sha256: string
  readonly model: { readonly payload: string; readonly anomaly: string }
  readonly degraded: boolean
  readonly degraded_reasons: readonly string[]
  readonly truncated: boolean
  readonly profile: Profile
  readonly context: {
    readonly source: string
    readonly tags: readonly string[]
    readonly attacker_ip?: string
    readonly country?: string
    readonly asn?: string
  }
}

export interface Profile {
  readonly action_sequence: readonly string[]
  readonly action_count: number
  /** MITRE ATT&CK technique ids. */
  readonly ttps: readonly string[]
  readonly intent: string
  /** 0..10 */
  readonly sophistication_score: number
  readonly duration_seconds: number
  readonly unique_endpoints: number
  readonly tool_signatures: readonly string[]
  readonly summary: string
}

export interface FeatureImportance {
  readonly feature: string
  readonly value: number
  /** Shapley value in units of the final score. */
  readonly importance: number
}

/** A stretch of a payload and how much it moved the classifier towards its class. */
export interface PayloadSpan {
  readonly payload_id: string
  /** Character offsets into the payload as received, end exclusive. */
  readonly start: number
  readonly end: number
  /** The characters themselves, redacted like the payload. */
  readonly text: string
  /** Shapley value in log-odds of the predicted class against benign. */
  readonly shap_value: number
}

/** The wire form of an explanation (contract, section 3). */
export interface Explanation {
  readonly session_id: string
  readonly verdict: VerdictWord
  readonly final_score: number
  readonly base_value: number
  readonly narrative: string
  /** Complete: base_value + all importances = final_score. */
  readonly feature_importances: readonly FeatureImportance[]
  readonly shap_summary: {
    readonly top_positive_features: readonly ShapEntry[]
    readonly top_negative_features: readonly ShapEntry[]
    readonly total_positive_contribution: number
    readonly total_negative_contribution: number
  }
  readonly top_contributors: readonly FeatureImportance[]
  readonly top_contradictors: readonly FeatureImportance[]
  readonly payload_spans: readonly PayloadSpan[]
  readonly generated_at: string
}

export interface ShapEntry {
  readonly feature: string
  readonly value: number
  readonly shap_value: number
}

/** What the combine step adds; kept beside the evidence so that explain can look back. */
export interface JudgedEvidence extends ScoredEvidence {
  /** Of the classifier by which it was judged; another one may be live when it is explained. */
  readonly certainThreshold: number
  readonly verdict: Verdict
}

/** A payload that is worth trying in a twin, whole and as received: stored, never published. */
export interface SuspectPayload {
  readonly payload_id: string
  readonly value: string
  readonly class: string
  readonly confidence: number
  readonly location: string
  readonly kind: PayloadKind
  /** True where the payload is too large for a twin: `value` is its beginning, for people. */
  readonly truncated?: true
}

/** What leaves the flow: everything a sink stores, nothing it must compute. */
export interface ExplainedVerdict {
  /** The payloads to simulate, the surest first; absent in what earlier versions stored. */
  readonly suspects?: readonly SuspectPayload[]
  readonly idempotencyKey: string
  readonly eventTimeMs: number
  readonly verdict: Verdict
  readonly explanation: Explanation
  /** Where its first announcement stands, `topic/partition/offset`; absent without a durable place. */
  readonly origin?: string
}

/** A verdict as the store holds it. */
export interface RecordedVerdict extends ExplainedVerdict {
  /** The event was announced again at another place, and is published already. */
  readonly isRepeat: boolean
}
