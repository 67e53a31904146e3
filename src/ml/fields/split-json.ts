import { FIELDS_MAX } from "./field.ts"
import type { MappedText } from "./mapped-text.ts"
import type { NamedText } from "./split-request.ts"

const COLON = /^\s{0,16}:/
const BEYOND_QUOTE_CHARS = 18

/**
 * The string values of a JSON document under their keys, escapes and all. Reads quotes only, so a
 * document that is broken or cut off gives what it holds; numbers and words hold nothing.
 */
export function* jsonStrings(document: MappedText): Generator<NamedText> {
  const { text } = document
  let name: MappedText | undefined
  let from = text.indexOf('"')
  for (let count = 0; from !== -1 && count < FIELDS_MAX; count++) {
    const end = closingQuote(text, from + 1)
    const content = document.slice(from + 1, end)
    if (COLON.test(text.slice(end + 1, end + 1 + BEYOND_QUOTE_CHARS))) {
      name = content
    } else {
      yield { name, value: content }
    }
    from = text.indexOf('"', end + 1)
  }
}

/** The index of the quote that ends the string, or of the end of the text. */
function closingQuote(text: string, start: number): number {
  for (let at = start; at < text.length; at++) {
    if (text[at] === "\\") at++
    else if (text[at] === '"') return at
  }
  return text.length
}
