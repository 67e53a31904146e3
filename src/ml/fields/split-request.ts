import { FIELDS_MAX } from "./field.ts"
import type { MappedText } from "./mapped-text.ts"

/** A value with the name that it stood under, both as they stood. */
export interface NamedText {
  readonly name: MappedText | undefined
  readonly value: MappedText
}

const ORIGIN = /^[A-Za-z][A-Za-z0-9+.-]{0,31}:\/\/[^/?#]{0,512}/
const VERSION = /[ \t]{1,8}HTTP\/\d(?:\.\d)?[ \t]{0,8}$/

/** An ampersand that begins an entity belongs to the value, but `&amp;` is a separator. */
const SEPARATORS = {
  "&": /&(?!(?:#\d{1,7}|#x[0-9a-f]{1,6}|lt|gt|quot|apos|equals|quest);)(?:amp;)?/gi,
  ";": /;\s{0,16}/g,
} as const

/** The fields of `a=1&b=2` (or, for cookies, `a=1; b=2`); one without `=` is all value. */
export function* pairs(text: MappedText, separator: "&" | ";"): Generator<NamedText> {
  const whole = text.text
  let from = 0
  let count = 0
  for (const match of whole.matchAll(SEPARATORS[separator])) {
    count += 1
    if (count >= FIELDS_MAX) break
    yield pair(text.slice(from, match.index))
    from = match.index + match[0].length
  }
  yield pair(text.slice(from, whole.length))
}

function pair(text: MappedText): NamedText {
  const equals = text.text.indexOf("=")
  if (equals === -1) return { name: undefined, value: text }
  return { name: text.slice(0, equals), value: text.slice(equals + 1, text.text.length) }
}

function skipBlanks(text: string, from: number, to: number): number {
  let at = from
  while (at < to && text.charCodeAt(at) <= 0x20) at++
  return at
}

/** The path without the origin, and the query without its question mark. */
export function urlParts(url: MappedText): {
  readonly path: MappedText
  readonly query: MappedText | undefined
} {
  const { text } = url
  const from = ORIGIN.exec(text)?.[0].length ?? 0
  const mark = text.indexOf("?", from)
  if (mark === -1) return { path: url.slice(from, text.length), query: undefined }
  return { path: url.slice(from, mark), query: url.slice(mark + 1, text.length) }
}

/** The target between method and version, and what follows the line. */
export function requestLine(request: MappedText): {
  readonly target: MappedText
  readonly rest: MappedText | undefined
} {
  const { text } = request
  const newline = text.indexOf("\n")
  const lineEnd = newline === -1 ? text.length : newline
  const line = text.slice(0, lineEnd).replace(/\r$/, "")
  const from = line.indexOf(" ") + 1
  const to = VERSION.exec(line)?.index ?? line.length
  const target = request.slice(from, Math.max(from, to))
  return { target, rest: newline === -1 ? undefined : request.slice(newline + 1, text.length) }
}

/** `Name: value` lines up to the first blank line, and the body behind it. */
export function headerLines(block: MappedText): {
  readonly headers: readonly NamedText[]
  readonly body: MappedText | undefined
} {
  const { text } = block
  const headers: NamedText[] = []
  for (let from = 0; from < text.length && headers.length < FIELDS_MAX; ) {
    const newline = text.indexOf("\n", from)
    const next = newline === -1 ? text.length : newline + 1
    const to = newline === -1 ? text.length : newline
    const end = text[to - 1] === "\r" ? to - 1 : to
    if (end <= from) return { headers, body: block.slice(next, text.length) }
    headers.push(headerOf(block.slice(from, end)))
    from = next
  }
  return { headers, body: undefined }
}

function headerOf(line: MappedText): NamedText {
  const { text } = line
  const colon = text.indexOf(":")
  if (colon === -1) return { name: undefined, value: line }
  const from = skipBlanks(text, colon + 1, text.length)
  return { name: line.slice(0, colon), value: line.slice(from, text.length) }
}
