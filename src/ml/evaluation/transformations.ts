import type { PayloadClass, PayloadKind } from "../../events.ts"

/** Another spelling of a text that some decoder on the way to the attacked program undoes. */
export interface Transformation {
  readonly name: string
  /** Classes whose attacks stay attacks under it; benign text is always re-spelt. */
  readonly classes: readonly PayloadClass[]
  /** Whether it escapes characters, as a sender may only within the fields of a request. */
  readonly isEncoding: boolean
  /** Total: any text, lone surrogates included. The result is at most 15 times as long. */
  apply(text: string): string
}

const EVERY_CLASS = ["sql_injection", "xss", "command_injection", "path_traversal"] as const
const encoder = new TextEncoder()

/**
 * The spellings that robustness is judged under. Written from the standards named at each, apart
 * from the ones that training draws from, so that an error of those is not repeated here.
 */
export const TRANSFORMATIONS: readonly Transformation[] = [
  { name: "url_once", classes: EVERY_CLASS, isEncoding: true, apply: percentEncode },
  { name: "url_every_byte", classes: EVERY_CLASS, isEncoding: true, apply: percentEncodeEveryByte },
  {
    name: "url_twice",
    classes: EVERY_CLASS,
    isEncoding: true,
    apply: (text) => percentEncode(percentEncode(text)),
  },
  { name: "html_entities", classes: EVERY_CLASS, isEncoding: true, apply: characterReferences },
  {
    name: "percent_u",
    classes: EVERY_CLASS,
    isEncoding: true,
    apply: (text) => escapeUnits(text, "%u"),
  },
  { name: "backslash_x", classes: EVERY_CLASS, isEncoding: true, apply: backslashX },
  {
    name: "backslash_u",
    classes: EVERY_CLASS,
    isEncoding: true,
    apply: (text) => escapeUnits(text, "\\u"),
  },
  { name: "full_width", classes: EVERY_CLASS, isEncoding: true, apply: fullWidth },
  { name: "overlong_utf8", classes: EVERY_CLASS, isEncoding: true, apply: overlong },
  {
    name: "alternating_case",
    classes: ["sql_injection", "xss"],
    isEncoding: false,
    apply: alternateCase,
  },
  { name: "sql_comments", classes: ["sql_injection"], isEncoding: false, apply: commentBlanks },
  {
    name: "white_space",
    classes: ["sql_injection", "xss", "command_injection"],
    isEncoding: false,
    apply: tabulate,
  },
]

/**
 * Spells a row anew. The delimiters of a whole request stay under an encoding, and those that it
 * brings are percent-encoded (RFC 3986, section 2.2): a receiver splits before it decodes, so that
 * otherwise the attack would reach no field.
 */
export function respell(
  { text, kind }: { readonly text: string; readonly kind?: PayloadKind },
  { isEncoding, apply }: Transformation,
): string {
  if (kind !== "request" || !isEncoding) return apply(text)
  const mark = text.indexOf("?")
  const queryFrom = mark < 0 && text.includes("=") ? 0 : mark < 0 ? text.length : mark
  const spell = (part: string) => apply(part).replace(/[&=?#]/g, percentEncode)
  const path = between(text.slice(0, queryFrom), /([\s/:])/, spell)
  return path + between(text.slice(queryFrom), /([\s?&=])/, spell)
}

/** RFC 3986, section 2.1: everything but the unreserved characters, as UTF-8. */
function percentEncode(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (mark) => `%${hex(mark.charCodeAt(0), 2).toUpperCase()}`,
  )
}

/** RFC 3986, section 2.1: unreserved characters too, which a receiver must decode (section 2.3). */
function percentEncodeEveryByte(text: string): string {
  return joined(encoder.encode(text), (byte) => `%${hex(byte, 2)}`)
}

const NAMED: Readonly<Record<string, string>> = {
  "<": "&lt;",
  ">": "&gt;",
  "&": "&amp;",
  '"': "&quot;",
  "'": "&apos;",
}

/** HTML, section 13.1.4 "Character references": named where usual, else decimal and hex in turn. */
function characterReferences(text: string): string {
  return Array.from(text.toWellFormed(), (character, index) => {
    const codePoint = character.codePointAt(0) ?? 0
    const numeric = index % 2 === 0 ? `&#${codePoint};` : `&#x${hex(codePoint, 1)};`
    return NAMED[character] ?? numeric
  }).join("")
}

/** `%uXXXX` of ECMA-262 annex B.2.1.1 (escape) and `\uXXXX` of section 12.9.4, each UTF-16 unit. */
function escapeUnits(text: string, prefix: "%u" | "\\u"): string {
  return joined(unitsOf(text), (unit) => `${prefix}${hex(unit, 4)}`)
}

/** ECMA-262, section 12.9.4: `\xXX`, and `\uXXXX` for what that cannot write. */
function backslashX(text: string): string {
  return joined(unitsOf(text), (unit) =>
    unit < 0x100 ? `\\x${hex(unit, 2)}` : `\\u${hex(unit, 4)}`,
  )
}

/**
 * Unicode, block "Halfwidth and Fullwidth Forms": U+FF01..FF5E, and U+3000 for the blank. A form's
 * plus sign stays: a wide one is no blank to any decoder.
 */
function fullWidth(text: string): string {
  return outsideEscapes(text, (part) =>
    part
      .replace(/[!-*,-~]/g, (mark) => String.fromCharCode(mark.charCodeAt(0) + 0xfee0))
      .replaceAll(" ", "\u3000"),
  )
}

/** Each ASCII character in two bytes of UTF-8, which RFC 3629, section 3 forbids; percent-encoded. */
function overlong(text: string): string {
  return joined(encoder.encode(text), (byte) =>
    byte < 0x80 ? `%${hex(0xc0 | (byte >> 6), 2)}%${hex(0x80 | (byte & 0x3f), 2)}` : percent(byte),
  )
}

function percent(byte: number): string {
  return `%${hex(byte, 2)}`
}

/** SQL keywords (ISO 9075-2, section 5.2) and HTML names are the same in either case. */
function alternateCase(text: string): string {
  let letters = 0
  return outsideEscapes(text, (part) =>
    part.replace(/[a-z]/gi, (letter) =>
      letters++ % 2 === 0 ? letter.toUpperCase() : letter.toLowerCase(),
    ),
  )
}

/** ISO 9075-2, section 5.2: a bracketed comment separates tokens as white space does. */
function commentBlanks(text: string): string {
  return replaceBlanks(text, { plain: "/**/", encoded: "/**/" })
}

/** SQL, HTML and POSIX shells alike take tabs for a blank between words. */
function tabulate(text: string): string {
  return replaceBlanks(text, { plain: "\t\t", encoded: "%09%09" })
}

/** Blanks as they stand; in a text that has none, those that a form has encoded. */
function replaceBlanks(text: string, by: { readonly plain: string; readonly encoded: string }) {
  return text.includes(" ")
    ? text.replaceAll(" ", by.plain)
    : text.replace(/\+|%20/g, () => by.encoded)
}

/** Escapes stay as they are written: spelt otherwise they would be none. */
const ESCAPE =
  /(%u[0-9a-f]{4}|%[0-9a-f]{2}|&#?[0-9a-z]{1,10};|\\x[0-9a-f]{2}|\\u[0-9a-f]{4}|\\[a-z])/i

function outsideEscapes(text: string, rewrite: (part: string) => string): string {
  return between(text, ESCAPE, rewrite)
}

/** @param separator one group, the whole; what it matches stays */
function between(text: string, separator: RegExp, rewrite: (part: string) => string): string {
  return text
    .split(separator)
    .map((part, index) => (index % 2 === 0 ? rewrite(part) : part))
    .join("")
}

function unitsOf(text: string): Uint16Array {
  return Uint16Array.from({ length: text.length }, (_, index) => text.charCodeAt(index))
}

function joined(codes: Iterable<number>, write: (code: number) => string): string {
  let result = ""
  for (const code of codes) result += write(code)
  return result
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0")
}
