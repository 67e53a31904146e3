import type { PayloadKind } from "../../events.ts"

/** What a text is made of, where it is made of fields. */
export type TextShape = "request" | "headers" | "url" | "form" | "multipart" | "json" | "cookie"

const REQUEST_LINE = /^(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS|TRACE|CONNECT|PROPFIND) [^ \r\n]/
const HEADER_LINES =
  /^[A-Za-z][A-Za-z0-9-]{0,63}:[ \t]?[^\r\n]{0,8192}\r?\n[A-Za-z][A-Za-z0-9-]{0,63}:/
const ABSOLUTE_URL = /^[A-Za-z][A-Za-z0-9+.-]{1,31}:\/\/[^\s<>"']/
/** Not the padding that ends base64. */
const NAMED = /^[\w.%+\-[\]$]{1,128}=(?!=?$)/
const SECOND_NAMED = /&[\w.%+\-[\]$]{1,128}=/
const JSON_START = /^[\s\ufeff]{0,16}(?:\[\s{0,16}){0,4}\{\s{0,16}"[\w.\- $]{0,64}"\s{0,16}:/
const BLANK_CHARS_MAX = 16
const SLASH = 0x2f
const QUESTION_MARK = 0x3f

/**
 * Tells from the first characters whether a text holds fields, and how they are written.
 *
 * Where only one value is expected (`param`, `path`, `header`) a lone `name=value` is that value:
 * `x=1` is more often half an expression than a form.
 */
export function shapeOf(text: string, kind: PayloadKind | undefined): TextShape | undefined {
  if (isJson(text)) return "json"
  if (kind === "cookie") return text.includes("=") ? "cookie" : undefined
  if (text.startsWith("--")) return text.includes("ontent-") ? "multipart" : undefined
  if (isTarget(text)) return text.includes("?") ? "url" : undefined
  return kind === "request" || kind === "body" ? messageShape(text) : valueShape(text, kind)
}

/** Of a text that stands for all of a request, or of its body. */
function messageShape(text: string): TextShape | undefined {
  if (NAMED.test(text)) return "form"
  if (REQUEST_LINE.test(text)) return "request"
  return HEADER_LINES.test(text) ? "headers" : undefined
}

function valueShape(text: string, kind: PayloadKind | undefined): TextShape | undefined {
  if (NAMED.test(text)) return SECOND_NAMED.test(text) ? "form" : undefined
  return kind === "header" && HEADER_LINES.test(text) ? "headers" : undefined
}

function isTarget(text: string): boolean {
  const first = text.charCodeAt(0)
  return first === SLASH || first === QUESTION_MARK || ABSOLUTE_URL.test(text)
}

/** By its edges and a quote: a broken document is split all the same, and one cut off. */
function isJson(text: string): boolean {
  const first = edge(text, 0, 1)
  if (first !== "{" && first !== "[") return false
  if (JSON_START.test(text)) return true
  const last = edge(text, text.length - 1, -1)
  return (last === "}" || last === "]") && text.includes('"')
}

/** The outermost character that is no blank, looking at most BLANK_CHARS_MAX blanks deep. */
function edge(text: string, from: number, step: 1 | -1): string | undefined {
  for (let count = 0; count <= BLANK_CHARS_MAX; count++) {
    const character = text[from + count * step]
    if (character === undefined || !isBlank(character)) return character
  }
  return undefined
}

function isBlank(character: string): boolean {
  return character <= " " || character === "\ufeff"
}

/** No text without one of these, plain or spelt in another way, holds fields. */
const STRUCTURE =
  /[=?"\n\uff1d\uff1f\uff02]|%(?:25){0,2}(?:22|3[df]|0a)|&(?:#(?:61|34|63)|#x(?:3d|22|3f)|quot|equals|quest);|(?:\\x|[%\\]u00)(?:22|3[df]|0a)|\\0(?:42|7[57])|%c0%(?:a2|b[df])/i

/** False where `shapeOf` cannot answer anything, at the cost of one scan: most values end with it. */
export function mayHoldFields(text: string): boolean {
  return STRUCTURE.test(text)
}

/** A blank, the first mark of a structure or an escape; or a name and what may go on with it or end it. */
const OPENING =
  /^(?:[\0- \ufeff{[\-/?%&\\\uff01-\uff5e]|[\w.+$\]]{1,128}[=:[\-%&\\\0\uff01-\uff5e])/

/**
 * False where `shapeOf` cannot answer anything however many escapes are undone: what stands before the
 * first of them stays, and decides. Always true where a structure may begin in any way.
 */
export function mayOpenLater(text: string, kind: PayloadKind | undefined): boolean {
  return kind === "cookie" || kind === "request" || kind === "body" || OPENING.test(text)
}
