import { readFile } from "node:fs/promises"
import { basename } from "node:path"
import { gunzipSync } from "node:zlib"
import { FileUnreadableError, MalformedError, TooLargeError } from "../../errors.ts"
import {
  PAYLOAD_CLASSES,
  PAYLOAD_KINDS,
  type PayloadClass,
  type PayloadKind,
} from "../../events.ts"

/** One labelled text, from a file or a generator. */
export interface LabelledPayload {
  readonly text: string
  readonly label: PayloadClass
  readonly source: string
  readonly kind?: PayloadKind
}

const FILE_BYTES_MAX = 512 * 1024 * 1024

const PROBE_CHARS_MAX = 80

/** A template that nobody filled in (`{cmd}`, `<file>`) teaches nothing of real attacks. */
const PLACEHOLDER = /\{(?:cmd|command|file|domain|host|url|payload)\}|\[(?:cmd|file|host)\]/i

/**
 * Reads labelled payloads: JSON lines with `text` and `label`, optional `source` and `kind`.
 *
 * @throws MalformedError naming the line and field of a row that is none
 */
export async function* readLabelledPayloads(
  lines: AsyncIterable<string> | Iterable<string>,
): AsyncGenerator<LabelledPayload> {
  let number = 0
  for await (const line of lines) {
    number += 1
    if (line.trim() !== "") yield parseRow(line, number)
  }
}

/**
 * The same from a file, gzipped where its name ends in `.gz`.
 *
 * @throws FileUnreadableError; TooLargeError for a file beyond FILE_BYTES_MAX unpacked
 */
export async function readLabelledFile(file: string): Promise<readonly LabelledPayload[]> {
  const stored = await readFile(file).catch((error) => {
    throw new FileUnreadableError(basename(file), error)
  })
  const bytes = file.endsWith(".gz") ? unpack(stored) : stored
  return Array.fromAsync(readLabelledPayloads(new TextDecoder().decode(bytes).split("\n")))
}

/** What a list says of its attacks instead of showing one: a caption, or words behind a tab. */
const EXPLANATION = /^(?:exploit|as a side note)\b[\w ]*[:,]|\t\s*[a-z-]+ [a-z]+/i

/** What scanners send, among rows that are said to be benign. */
const PROBE =
  /(?:^|\||\\x0[ad])(?:ping|sleep)(?:\s|\\x\w\w)+[-\d]|\border by \d+$|\+or\+1$|\bchr\(97\)/

/** Whether a row is fit to learn from: written rules for known dirt of public payload lists. */
export function isClean({ text, label }: LabelledPayload): boolean {
  if (text.trim() === "") return false
  return label === "benign" ? !isProbe(text) : !PLACEHOLDER.test(text) && !EXPLANATION.test(text)
}

/** Prose may well speak of such a probe: only a short text is one. */
function isProbe(text: string): boolean {
  return text.length <= PROBE_CHARS_MAX && PROBE.test(text)
}

function unpack(bytes: Uint8Array): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: FILE_BYTES_MAX })
  } catch {
    throw new TooLargeError("training data (or not gzip)", FILE_BYTES_MAX)
  }
}

function parseRow(text: string, line: number): LabelledPayload {
  const row = parseObject(text, line)
  if (typeof row.text !== "string") throw new MalformedError(`line ${line}.text`, "a string")
  const label = PAYLOAD_CLASSES.find((name) => name === row.label)
  if (label === undefined) throw new MalformedError(`line ${line}.label`, "a payload class")
  const source = typeof row.source === "string" ? row.source : "unnamed"
  return { text: row.text, label, source, ...kindOf(row.kind) }
}

function parseObject(text: string, line: number): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>
  } catch {
    // Reported below, without the parser's message: it would echo the text.
  }
  throw new MalformedError(`line ${line}`, "a JSON object")
}

function kindOf(value: unknown): { kind?: PayloadKind } {
  const kind = PAYLOAD_KINDS.find((name) => name === value)
  return kind === undefined ? {} : { kind }
}
