import { MalformedError } from "../errors.ts"
import type { AuditEntry, AuditHead } from "../ports/sandbox.ts"

/** The form of an audit entry: one line of canonical JSON, chained to the line before. */

export const EMPTY_HEAD: AuditHead = { count: 0, hash: "0".repeat(64) }
/** Of a line without its end. */
export const LINE_BYTES_MAX = 16_384

const DEPTH_MAX = 8
const NOT_ASCII = /[\u007f-\uffff]/g

export interface AuditEvent {
  readonly event_type: string
  readonly data: Readonly<Record<string, unknown>>
  /** ISO 8601 */
  readonly timestamp: string
}

/** An entry and the line that it is in the log, without a newline. */
export interface SealedEntry {
  readonly entry: AuditEntry
  readonly line: string
}

/** Chains an event to the head. @throws MalformedError for data deeper than 8 levels */
export function sealEntry(event: AuditEvent, head: AuditHead): SealedEntry {
  const unsealed = { ...event, sequence: head.count + 1, previous: head.hash }
  const entry = { ...unsealed, hash: sha256(canonicalJson(unsealed)) }
  return { entry, line: canonicalJson(entry) }
}

/** The entry that follows `head` in this line, or what is wrong with it. */
export function openEntry(line: Buffer, head: AuditHead): AuditEntry | string {
  const value = parseEntry(line)
  if (value === undefined) return "not an entry in canonical JSON"
  if (value.sequence !== head.count + 1) {
    return `sequence ${value.sequence} stands where ${head.count + 1} belongs`
  }
  if (value.previous !== head.hash) return "does not follow the entry before it"
  const { hash, ...unsealed } = value
  if (hash !== sha256(canonicalJson(unsealed))) return "does not hash to its own digest"
  return value
}

/** Undefined unless the line is, byte for byte, what `sealEntry` writes of such an entry. */
export function parseEntry(line: Buffer): AuditEntry | undefined {
  try {
    const value: unknown = JSON.parse(line.toString("latin1"))
    if (!isEntry(value) || canonicalJson(value) !== line.toString("latin1")) return undefined
    return value
  } catch {
    return undefined
  }
}

/** Where the chain stood before the entry in this line, as that says itself. */
export function headBefore(line: Buffer): AuditHead | undefined {
  const entry = parseEntry(line)
  return entry && { count: entry.sequence - 1, hash: entry.previous }
}

function isEntry(value: unknown): value is AuditEntry {
  if (typeof value !== "object" || value === null) return false
  const { sequence, timestamp, event_type, data, previous, hash } = value as Partial<AuditEntry>
  const texts = [timestamp, event_type, previous, hash]
  return (
    Object.keys(value).length === FIELDS &&
    Number.isSafeInteger(sequence) &&
    texts.every((text) => typeof text === "string") &&
    typeof data === "object" &&
    data !== null
  )
}

const FIELDS = 6

/**
 * Keys sorted, no blanks, everything beyond printable ASCII as `\uXXXX`: one value, one text.
 * @throws MalformedError for a value deeper than 8 levels
 */
export function canonicalJson(value: unknown, depth = 0): string {
  if (depth > DEPTH_MAX) throw new MalformedError("data", `at most ${DEPTH_MAX} levels`)
  if (Array.isArray(value)) {
    return `[${value.map((item) => canonicalJson(item ?? null, depth + 1)).join(",")}]`
  }
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([one], [other]) => (one < other ? -1 : 1))
    const texts = members.map(([key, member]) => `${text(key)}:${canonicalJson(member, depth + 1)}`)
    return `{${texts.join(",")}}`
  }
  return text(value)
}

function text(value: unknown): string {
  const escaped = (character: string) =>
    `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
  return (JSON.stringify(value) ?? "null").replace(NOT_ASCII, escaped)
}

function sha256(content: string): string {
  return new Bun.CryptoHasher("sha256").update(content).digest("hex")
}
