import { CharacterSet } from "./character-set.ts"

/**
 * A pattern in the subset that means the same in Python's `re`, RE2 and JavaScript: sets of
 * characters, sequences, choices and bounded repeats; no anchor, no group that captures.
 */
export type Pattern =
  | { readonly kind: "set"; readonly set: CharacterSet }
  | { readonly kind: "sequence"; readonly parts: readonly Pattern[] }
  | { readonly kind: "choice"; readonly options: readonly Pattern[] }
  | { readonly kind: "repeat"; readonly body: Pattern; readonly min: number; readonly max: number }

/** The largest count of a repeat (contract, section 2). */
export const REPEAT_MAX = 64

export const NOTHING: Pattern = { kind: "sequence", parts: [] }

export function characters(set: CharacterSet): Pattern {
  return { kind: "set", set }
}

/** Sequences within it are taken in, so that equal patterns look equal. */
export function sequence(...parts: readonly Pattern[]): Pattern {
  const flat = parts.flatMap((part) => (part.kind === "sequence" ? part.parts : [part]))
  const [only] = flat
  return flat.length === 1 && only !== undefined ? only : { kind: "sequence", parts: flat }
}

/** @param options at least one */
export function choice(...options: readonly Pattern[]): Pattern {
  const [only] = options
  return options.length === 1 && only !== undefined ? only : { kind: "choice", options }
}

/** @param count `max` in 1..64, `min` in 0..max */
export function repeat(body: Pattern, count: { min: number; max: number }): Pattern {
  return count.min === 1 && count.max === 1 ? body : { kind: "repeat", body, ...count }
}

export function optional(body: Pattern): Pattern {
  return repeat(body, { min: 0, max: 1 })
}

/** The text as it stands; ASCII. */
export function literal(text: string): Pattern {
  return sequence(...Array.from(text, (character) => characters(CharacterSet.of(character))))
}

/**
 * One of several texts, as a tree in which the next character always decides.
 * @param texts ASCII, none empty
 */
export function anyOf(texts: readonly string[], write: Write = literal): Pattern {
  const firsts = new Map<string, string[]>()
  for (const text of new Set(texts)) {
    const first = text.charAt(0)
    firsts.set(first, [...(firsts.get(first) ?? []), text.slice(1)])
  }
  const options = [...firsts].map(([first, rests]) => sequence(write(first), anyRest(rests, write)))
  return mergeSets(options)
}

type Write = (text: string) => Pattern

function anyRest(rests: readonly string[], write: Write): Pattern {
  const longer = rests.filter((rest) => rest !== "")
  if (longer.length === 0) return NOTHING
  const rest = anyOf(longer, write)
  return longer.length < rests.length ? optional(rest) : rest
}

/** Options of one character each become one set. */
function mergeSets(options: readonly Pattern[]): Pattern {
  const sets = options.flatMap((option) => (option.kind === "set" ? [option.set] : []))
  const others = options.filter(({ kind }) => kind !== "set")
  if (sets.length < 2) return choice(...options)
  const merged = sets.reduce((all, set) => all.union(set), CharacterSet.empty)
  return choice(characters(merged), ...others)
}
