const ORIGIN = /^[A-Za-z][A-Za-z0-9+.-]{0,31}:\/\/[^/?#]*/

/**
 * Splits a URL as a producer wrote it: absolute or relative, encoded or not.
 *
 * `#` ends nothing: no client sends a fragment, so in recorded traffic it is part of what was sent.
 * Out: the path with its leading slash if it has one, and the query without its question mark.
 */
export function splitTarget(url: string): { path: string; query: string } {
  const target = url.slice(ORIGIN.exec(url)?.[0].length ?? 0)
  const mark = target.indexOf("?")
  if (mark === -1) return { path: target, query: "" }
  return { path: target.slice(0, mark), query: target.slice(mark + 1) }
}

/** One `name=value` of a query, form or cookie, neither of them decoded. */
export interface RawField {
  /** undefined where the field has no equals sign: all of it is the value. */
  readonly name: string | undefined
  readonly value: string
}

/** Fields of one query, form or cookie header that are read. */
export const FIELDS_MAX = 1_000

/**
 * Splits `a=1&b=2` (or, for cookies, `a=1; b=2`) into its fields. Values keep their encoding and
 * their plus signs. One more than FIELDS_MAX tells that there were too many.
 */
export function splitFields(text: string, separator: "&" | ";"): readonly RawField[] {
  if (text === "") return []
  return text.split(separator, FIELDS_MAX + 1).map(splitField)
}

function splitField(field: string): RawField {
  const equals = field.indexOf("=")
  if (equals === -1) return { name: undefined, value: field }
  return { name: field.slice(0, equals), value: field.slice(equals + 1) }
}
