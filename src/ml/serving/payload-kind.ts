import type { PayloadKind } from "../../events.ts"
import type { PayloadContext, PayloadInput } from "../../ports.ts"

/** A text that could be all of a request's target: a path with or without a query. */
const TARGET_START = "/"

/** The text with the kind that its context tells, and without the context; a given kind stays. */
export function withKind(input: PayloadInput): PayloadInput {
  const { text, context } = input
  if (context === undefined) return input
  const kind = input.kind ?? kindOf(text, context)
  return kind === undefined ? { text } : { text, kind }
}

/**
 * A text under a parameter's name is its value, in whatever body; one with only a content type is
 * that body, JSON, form or multipart, and is split as what it looks like.
 */
function kindOf(text: string, context: PayloadContext): PayloadKind | undefined {
  const { param, path, method, contentType } = context
  if (param) return "param"
  if (contentType) return "body"
  if (path && text !== "" && path.includes(text)) return targetKind(text)
  // A path alone is where the request went; a text with only a method may be the target itself.
  return method && text.startsWith(TARGET_START) ? targetKind(text) : undefined
}

function targetKind(text: string): PayloadKind {
  return text.includes("?") ? "request" : "path"
}
