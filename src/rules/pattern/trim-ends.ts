import { choice, type Pattern, repeat, sequence } from "./pattern.ts"

/**
 * The pattern without what a search need not read: at either end a repeat of `{m,n}` finds the same
 * texts as one of `{m}`, in each option of a choice as well.
 */
export function trimEnds(pattern: Pattern): Pattern {
  return trimEnd(trimEnd(pattern, "first"), "last")
}

type End = "first" | "last"

function trimEnd(pattern: Pattern, end: End): Pattern {
  if (pattern.kind === "repeat") {
    const { body, min } = pattern
    return min === 0 ? sequence() : repeat(body, { min, max: min })
  }
  if (pattern.kind === "choice") {
    const options = pattern.options.map((option) => trimEnd(option, end))
    return options.find(isNothing) ?? choice(...options)
  }
  return pattern.kind === "set" ? pattern : sequence(...trimParts(pattern.parts, end))
}

function trimParts(parts: readonly Pattern[], end: End): readonly Pattern[] {
  const outer = end === "first" ? parts[0] : parts.at(-1)
  if (outer === undefined) return []
  const rest = end === "first" ? parts.slice(1) : parts.slice(0, -1)
  const trimmed = trimEnd(outer, end)
  if (isNothing(trimmed)) return trimParts(rest, end)
  return end === "first" ? [trimmed, ...rest] : [...rest, trimmed]
}

function isNothing(pattern: Pattern): boolean {
  return pattern.kind === "sequence" && pattern.parts.length === 0
}
