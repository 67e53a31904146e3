import type { PayloadKind } from "../../events.ts"
import { TEXT_CHARS_MAX } from "../text/normalize.ts"
import { DEPTH_MAX, FIELDS_MAX, Field } from "./field.ts"
import { MappedText } from "./mapped-text.ts"
import { jsonStrings } from "./split-json.ts"
import { multipartParts } from "./split-multipart.ts"
import { headerLines, pairs, requestLine, urlParts } from "./split-request.ts"
import { mayHoldFields, mayOpenLater, shapeOf, type TextShape } from "./text-shape.ts"

const NAME_CHARS_MAX = 64
const ENCODINGS_MAX = 2
/** Names like these are chosen by the application; any other (`a'or'1`, `q[$ne]`) by an attacker. */
const PLAIN_NAME = /^(?:\w\$?|[.\-[\] ]){0,64}$/

/**
 * Splits a text that is a request, URL, query, form, multipart body, JSON document, cookie or header
 * block into its fields, structures within values included (a query value that is JSON, a JSON
 * string that is a URL, percent-encoded or not).
 *
 * Pure and linear in the text: at most FIELDS_MAX fields, DEPTH_MAX structures deep, of the first
 * TEXT_CHARS_MAX characters. Names that no application chooses are fields too. Empty for a text that
 * is one field.
 */
export function splitFields(text: string, kind?: PayloadKind): readonly Field[] {
  if (!mayHoldFields(text) && !isEncodedPath(text, kind)) return []
  const splitter = new Splitter()
  splitter.opened(new MappedText(text.slice(0, TEXT_CHARS_MAX)), { kind, depth: 0 })
  return splitter.fields
}

interface Place {
  readonly kind: PayloadKind
  readonly name?: string | undefined
  readonly depth: number
}

class Splitter {
  readonly fields: Field[] = []

  #open(whole: MappedText, shape: TextShape, depth: number): void {
    switch (shape) {
      case "json":
        for (const { name, value } of jsonStrings(whole)) {
          this.#named(name, value.jsonUnescaped(), { kind: "param", depth })
        }
        return
      case "form":
        this.#pairs(whole, "&", { kind: "param", depth })
        return
      case "cookie":
        this.#pairs(whole, ";", { kind: "cookie", depth })
        return
      case "url":
        this.#url(whole, depth)
        return
      case "multipart":
        for (const { name, value } of multipartParts(whole)) {
          this.#named(name, value, { kind: "param", depth })
        }
        return
      case "headers":
        this.#headers(whole, depth)
        return
      case "request":
        this.#request(whole, depth)
        return
    }
  }

  #request(whole: MappedText, depth: number): void {
    const { target, rest } = requestLine(whole)
    this.#url(target, depth)
    if (rest !== undefined) this.#headers(rest, depth)
  }

  #url(url: MappedText, depth: number): void {
    const { path, query } = urlParts(url)
    if (path.text.length > 1) this.#add(path, { kind: "path", depth })
    if (query !== undefined) this.#pairs(query, "&", { kind: "param", depth })
  }

  #headers(whole: MappedText, depth: number): void {
    const { headers, body } = headerLines(whole)
    for (const { name, value } of headers) {
      const kind = name?.text.toLowerCase() === "cookie" ? "cookie" : "header"
      this.#named(name, value, { kind, depth })
    }
    if (body !== undefined) this.#value(body, { kind: "body", depth })
  }

  #pairs(text: MappedText, separator: "&" | ";", place: Place): void {
    for (const { name, value } of pairs(text, separator)) this.#named(name, value, place)
  }

  #named(name: MappedText | undefined, value: MappedText, place: Place): void {
    if (name !== undefined && !PLAIN_NAME.test(name.text)) this.#add(name, place)
    this.#value(value, { ...place, name: name?.text.slice(0, NAME_CHARS_MAX) })
  }

  /** Opens a value that holds fields itself and adds any other. */
  #value(value: MappedText, place: Place): void {
    if (!mayHoldFields(value.text) || !this.opened(value, place)) this.#add(value, place)
  }

  /** Opens a text that holds fields, as it stands or in up to ENCODINGS_MAX other spellings. */
  opened(
    text: MappedText,
    { kind, depth }: Pick<Place, "depth"> & { kind: PayloadKind | undefined },
  ): boolean {
    if (depth >= DEPTH_MAX) return false
    let read = text
    for (let layer = 0; layer <= ENCODINGS_MAX; layer++) {
      const isPath = layer > 0 && kind === "request" && read.text.startsWith("/")
      const shape = isPath ? "url" : shapeOf(read.text, kind)
      if (shape !== undefined) {
        this.#open(read, shape, depth + 1)
        return true
      }
      const isLast = layer === ENCODINGS_MAX || !mayOpenLater(read.text, kind)
      const plainer = isLast ? undefined : decoded(read)
      if (plainer === undefined) return false
      read = plainer
    }
    return false
  }

  #add(value: MappedText, { kind, name }: Place): void {
    if (value.text === "" || this.fields.length >= FIELDS_MAX) return
    this.fields.push(new Field(value, { kind, name }))
  }
}

/** A path that is encoded as a whole is judged beside what it says. */
function isEncodedPath(text: string, kind: PayloadKind | undefined): boolean {
  return kind === "request" && /^(?:%(?:25){0,2}2f|&#(?:47|x2f);|\uff0f)/i.test(text)
}

/** Spellings of a unit that no percent-decoder reads. */
const UNIT_ESCAPE = /[%\\]u[0-9a-f]{4}|\\x[0-9a-f]{2}|\\[0-3][0-7]{2}|%c[01]%[89ab]/i

/** What every one of the spellings below has in it. */
const ESCAPED = /[\0%&\\\uff01-\uff5e]/

/**
 * One layer less of the first spelling that is found; undefined where there is none. What other
 * escapes may be written in comes first: a field's own escapes are undone only inside of it.
 */
function decoded(text: MappedText): MappedText | undefined {
  if (!ESCAPED.test(text.text)) return undefined
  if (text.text.includes("\0")) return text.withoutNul()
  if (/[\uff01-\uff5e]/.test(text.text)) return text.narrowed()
  if (UNIT_ESCAPE.test(text.text)) return text.unitsUnescaped()
  if (text.text.includes("%")) return text.percentDecoded()
  return text.text.includes("&") ? text.entitiesDecoded() : undefined
}
