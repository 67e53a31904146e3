import type { MappedText } from "./mapped-text.ts"
import type { NamedText } from "./split-request.ts"

const PARTS_MAX = 128
const BOUNDARY_CHARS_MAX = 72
const HEADER_CHARS_MAX = 2_048
const BLANK_LINE = /\r?\n\r?\n/
const NAME = /(?:^|[;\s])name="?([^";\r\n]{0,256})/i
const FILE_NAME = /(?:^|[;\s])filename="?([^"\r\n]{0,1024})/i

/** The parts of a multipart body under their names, and each part's file name. */
export function* multipartParts(body: MappedText): Generator<NamedText> {
  const { text } = body
  const lineEnd = text.indexOf("\n")
  const delimiter = text.slice(0, Math.max(0, lineEnd)).trimEnd()
  if (delimiter.length < 3 || delimiter.length > BOUNDARY_CHARS_MAX) return
  let from = delimiter.length
  for (let count = 0; from < text.length && count < PARTS_MAX; count++) {
    const found = text.indexOf(delimiter, from)
    const to = found === -1 ? text.length : found
    yield* partOf(body.slice(from, to))
    from = to + delimiter.length
  }
}

function* partOf(part: MappedText): Generator<NamedText> {
  const { text } = part
  const head = text.slice(0, HEADER_CHARS_MAX)
  const blank = BLANK_LINE.exec(head)
  if (blank === null) return
  const headers = head.slice(0, blank.index)
  const name = stretch(part, NAME.exec(headers))
  const fileName = stretch(part, FILE_NAME.exec(headers))
  if (fileName !== undefined) yield { name: undefined, value: fileName }
  const end = text.length - (/\r?\n$/.exec(text.slice(-2))?.[0].length ?? 0)
  const from = blank.index + blank[0].length
  yield { name, value: part.slice(from, Math.max(from, end)) }
}

/** Where the match's group stands: it is always the match's end. */
function stretch(part: MappedText, match: RegExpExecArray | null): MappedText | undefined {
  const group = match?.[1]
  if (match === null || group === undefined) return undefined
  const end = match.index + match[0].length
  return part.slice(end - group.length, end)
}
