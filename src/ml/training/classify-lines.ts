import { MalformedError, publicError, TooLargeError } from "../../errors.ts"
import { PAYLOAD_KINDS } from "../../events.ts"
import type { PayloadClassifier, PayloadContext, PayloadInput } from "../../ports.ts"

const LINE_CHARS_MAX = 16 * 1024 * 1024

/** A line of the output, without its newline. */
export interface ClassifiedLine {
  readonly text: string
  /** The input line could not be read: `text` is the error. */
  readonly refused: boolean
}

/**
 * Classifies JSON lines: each comes out with `class`, `confidence`, `probabilities`, `method` and
 * `model` added, in order, one at a time. A line that cannot be read comes out as
 * `{"error": {code, message, field?}}`.
 *
 * @param lines objects with `text`, optional `kind` (a PayloadKind) and `context` (`param`, `path`,
 *   `method`, `content_type`: strings that tell the kind where none is given); all fields are kept
 */
export async function* classifyLines(
  lines: AsyncIterable<string>,
  classifier: PayloadClassifier,
): AsyncGenerator<ClassifiedLine> {
  for await (const line of lines) {
    if (line.trim() !== "") yield classifyLine(line, classifier)
  }
}

function classifyLine(line: string, classifier: PayloadClassifier): ClassifiedLine {
  try {
    const row = parseLine(line)
    const text = JSON.stringify({ ...row, ...classifier.classify(inputOf(row)) })
    return { text, refused: false }
  } catch (error) {
    return { text: JSON.stringify({ error: publicError(error) }), refused: true }
  }
}

function parseLine(line: string): Record<string, unknown> {
  if (line.length > LINE_CHARS_MAX) throw new TooLargeError("line", LINE_CHARS_MAX)
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    throw new MalformedError("line", "JSON")
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new MalformedError("line", "a JSON object")
  }
  return value as Record<string, unknown>
}

function inputOf({ text, kind, context }: Record<string, unknown>): PayloadInput {
  if (typeof text !== "string") throw new MalformedError("text", "a string")
  const place = contextOf(context)
  if (kind === undefined || kind === null) return { text, ...(place && { context: place }) }
  const known = PAYLOAD_KINDS.find((name) => name === kind)
  if (known === undefined) throw new MalformedError("kind", `one of ${PAYLOAD_KINDS.join(", ")}`)
  return { text, kind: known }
}

/** Only what is known and a string; a context of any other form says nothing. */
function contextOf(value: unknown): PayloadContext | undefined {
  if (typeof value !== "object" || value === null) return undefined
  const { param, path, method, content_type: contentType } = value as Record<string, unknown>
  return {
    ...(typeof param === "string" && { param }),
    ...(typeof path === "string" && { path }),
    ...(typeof method === "string" && { method }),
    ...(typeof contentType === "string" && { contentType }),
  }
}
