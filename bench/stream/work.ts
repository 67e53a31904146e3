import { HashMismatchError, MalformedError } from "../../src/errors.ts"

/** The piece of work that every engine does: parse, check a digest, score, route. */
export const WORK = {
  partitions: 4,
  /** Share of records whose digest is wrong. */
  wrong: 0.01,
} as const

export interface Routed {
  readonly event_id: string
  readonly session_id: string
  /** Share of the payload's characters that the shells and languages of attacks are made of. */
  readonly score: number
}

interface Event {
  readonly event_id: string
  readonly session_id: string
  readonly payload: string
  readonly sha256: string
}

const MARKS = new Uint8Array(128)
for (const mark of "'\"<>;|&`$()") MARKS[mark.charCodeAt(0)] = 1

/** @throws MalformedError for what is no JSON; HashMismatchError for a wrong digest */
export function verifyAndScore(value: Uint8Array): Routed {
  const { event_id, session_id, payload, sha256 } = parse(value)
  const actual = new Bun.CryptoHasher("sha256").update(payload).digest("hex")
  if (actual !== sha256) throw new HashMismatchError("sha256")
  let marks = 0
  for (let i = 0; i < payload.length; i += 1) marks += MARKS[payload.charCodeAt(i)] ?? 0
  return { event_id, session_id, score: marks / payload.length }
}

function parse(value: Uint8Array): Event {
  try {
    return JSON.parse(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString())
  } catch {
    throw new MalformedError("event", "one JSON value")
  }
}
