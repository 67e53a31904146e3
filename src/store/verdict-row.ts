import type { ExplainedVerdict } from "../events.ts"
import { DIGEST_BYTES, digestKey, readTime, TIME_BYTES, timeKey } from "./keys.ts"

/**
 * A stored verdict: sha256 of the idempotency key, sha256 of the session id, event time, time of
 * arrival (80 bytes, all that dedupe and retention read), then the verdict as JSON. JSON and not
 * msgpack: Bun writes and parses it faster, and the API answers with it.
 */
export interface VerdictRow {
  readonly idempotency: Buffer
  readonly session: Buffer
  readonly eventTimeMs: number
  readonly arrivalMs: number
}

const SESSION_AT = DIGEST_BYTES
const EVENT_TIME_AT = SESSION_AT + DIGEST_BYTES
const ARRIVAL_AT = EVENT_TIME_AT + TIME_BYTES
const JSON_AT = ARRIVAL_AT + TIME_BYTES

export function encodeVerdict(verdict: ExplainedVerdict, arrivalMs: number): Buffer {
  return Buffer.concat([
    digestKey(verdict.idempotencyKey),
    digestKey(verdict.verdict.session_id),
    timeKey(verdict.eventTimeMs),
    timeKey(arrivalMs),
    Buffer.from(JSON.stringify(verdict)),
  ])
}

export function readVerdictRow(value: Buffer): VerdictRow {
  return {
    idempotency: value.subarray(0, SESSION_AT),
    session: value.subarray(SESSION_AT, EVENT_TIME_AT),
    eventTimeMs: readTime(value, EVENT_TIME_AT),
    arrivalMs: readTime(value, ARRIVAL_AT),
  }
}

export function decodeVerdict(value: Buffer): ExplainedVerdict {
  // Written by encodeVerdict of this or an earlier version, by the owner of the file alone.
  return JSON.parse(value.toString("utf8", JSON_AT)) as ExplainedVerdict
}
