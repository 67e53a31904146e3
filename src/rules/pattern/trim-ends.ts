import { type Pattern, repeat, sequence } from "./pattern.ts"

/**
 * The pattern without what a search need not read: at either end a repeat of `{m,n}` finds the same
 * texts as one of `{m}`.
 */
export function trimEnds(pattern: Pattern): Pattern {
  const parts = pattern.kind === "sequence" ? pattern.parts : [pattern]
  const [first, ...rest] = parts
  if (first === undefined) return pattern
  const trimmed = trim(first)
  if (trimmed.length === 0) return trimEnds(sequence(...rest))
  const last = rest.at(-1)
  return last === undefined ? sequence(...trimmed) : sequence(...trimmed, ...trimLast(rest))
}

function trimLast(parts: readonly Pattern[]): readonly Pattern[] {
  const last = parts.at(-1)
  if (last === undefined) return []
  const trimmed = trim(last)
  const before = parts.slice(0, -1)
  return trimmed.length === 0 ? trimLast(before) : [...before, ...trimmed]
}

function trim(part: Pattern): readonly Pattern[] {
  if (part.kind !== "repeat") return [part]
  return part.min === 0 ? [] : [repeat(part.body, { min: part.min, max: part.min })]
}
