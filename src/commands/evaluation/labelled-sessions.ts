import { sliceMembers } from "../../api/json-members.ts"
import { MalformedError } from "../../errors.ts"
import { toEnrichment, toEvidenceDocument } from "../../ml/sessions/evidence-document.ts"
import { generateSessions, type SessionTruth } from "../../ml/sessions/generate-sessions.ts"
import type { Enrichment } from "../../ports.ts"

/** What a session truly is, by those who know. */
export interface SessionLabel {
  readonly truth: SessionTruth
  /** What sort of visitor it is, in any words. */
  readonly population?: string
}

/** A session as evidence, with what it truly is. */
export interface LabelledSession extends SessionLabel {
  readonly bytes: Uint8Array
  readonly enrichment?: Enrichment
}

/** The label of a session whose evidence lies in another file. */
export interface NamedSession extends SessionLabel {
  readonly sessionId: string
}

const TRUTHS: readonly string[] = ["benign", "attack", "anomalous"] satisfies SessionTruth[]

/**
 * Reads JSON lines `{"truth": "attack"|"anomalous"|"benign", "population"?: string}` with either
 * `"evidence": {...}, "enrichment"?: {...}`, the evidence as `analyze` takes it, or `"session_id"`,
 * for evidence that lies elsewhere.
 * @throws MalformedError that names the line and the field
 */
export async function* readLabelledSessions(
  lines: AsyncIterable<string>,
): AsyncGenerator<LabelledSession | NamedSession> {
  let number = 0
  for await (const line of lines) {
    number++
    if (line.trim() !== "") yield parseLine(line, number)
  }
}

function parseLine(line: string, number: number): LabelledSession | NamedSession {
  const row = parseObject(line, `line ${number}`)
  const { truth, population, evidence, enrichment, session_id: sessionId } = row
  if (!isTruth(truth)) {
    throw new MalformedError(`line ${number}.truth`, "attack, anomalous or benign")
  }
  const label = { truth, ...(typeof population === "string" && { population }) }
  if (evidence === undefined && typeof sessionId === "string") return { ...label, sessionId }
  // Sliced, not written anew: its digests are over the numbers as they stand there.
  const bytes = sliceMembers(new TextEncoder().encode(line), ["evidence"]).get("evidence")
  if (typeof evidence !== "object" || evidence === null || bytes === undefined) {
    throw new MalformedError(`line ${number}.evidence`, "an object")
  }
  if (enrichment === undefined || enrichment === null) return { ...label, bytes }
  return { ...label, bytes, enrichment: enrichment as Enrichment }
}

function isTruth(value: unknown): value is SessionTruth {
  return typeof value === "string" && TRUTHS.includes(value)
}

function parseObject(text: string, field: string): Readonly<Record<string, unknown>> {
  const value = parseJson(text)
  if (typeof value === "object" && value !== null) return value as Record<string, unknown>
  throw new MalformedError(field, "a JSON object")
}

/** Undefined for what is not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Seeded sessions of our own generator, a third of each truth: no file needed. */
export function* generateLabelledSessions(count: number, seed: number): Generator<LabelledSession> {
  const mix = { benign: 1, attack: 1, anomalous: 1 }
  for (const { session, truth, population } of generateSessions({ seed, count, mix })) {
    const bytes = new TextEncoder().encode(JSON.stringify(toEvidenceDocument(session)))
    yield { truth, population, bytes, enrichment: toEnrichment(session) }
  }
}
