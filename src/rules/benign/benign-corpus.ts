import { inspectedText, sendingsOf } from "../sendings.ts"

/** Requests that nobody attacks with, as a WAF sees them. */
export interface BenignCorpus {
  readonly name: string
  /** Texts in it; each stands there in every way in which it may be sent. */
  readonly count: number
  /** True as soon as one text is met. */
  meets(pattern: RegExp): boolean
  /** Texts that are met, at most `max`. */
  examples(pattern: RegExp, max: number): readonly string[]
}

/** Characters that are searched at once: long enough to be fast, short enough to stay in a cache. */
const CHUNK_CHARACTERS = 262_144
/** Between two requests; no pattern that rules may have reads across it, for a NUL is in no class. */
const BETWEEN = "\n\0\n"
const TEXT_CHARACTERS_MAX = 4_096

interface Chunk {
  readonly text: string
  readonly sources: readonly string[]
}

/**
 * Reads the texts once and keeps what a WAF would see of them, in memory: about four bytes for each
 * character of the texts.
 */
export function benignCorpus(name: string, texts: Iterable<string>): BenignCorpus {
  const chunks: Chunk[] = []
  let sources: string[] = []
  let parts: string[] = []
  let length = 0
  let count = 0
  const close = () => {
    if (parts.length > 0) chunks.push({ text: parts.join(BETWEEN), sources })
    ;[sources, parts, length] = [[], [], 0]
  }
  for (const text of texts) {
    const source = text.slice(0, TEXT_CHARACTERS_MAX)
    const sent = sentForms(source)
    sources.push(source)
    parts.push(...sent)
    length += sent.reduce((sum, form) => sum + form.length, 0)
    count += 1
    if (length >= CHUNK_CHARACTERS) close()
  }
  close()
  return {
    name,
    count,
    meets: (pattern) => chunks.some((chunk) => pattern.test(chunk.text)),
    examples: (pattern, max) => examplesIn(chunks, pattern, max),
  }
}

/** The headers are the same for all, so they are left out of all but the first. */
function sentForms(text: string): readonly string[] {
  const [query, plain, , json] = sendingsOf(text, "query:q")
  return [query, plain, json].flatMap((request) =>
    request === undefined ? [] : [inspectedText({ ...request, headers: {} })],
  )
}

function examplesIn(chunks: readonly Chunk[], pattern: RegExp, max: number): readonly string[] {
  const found: string[] = []
  for (const { text, sources } of chunks) {
    if (!pattern.test(text)) continue
    for (const source of sources) {
      if (found.length >= max) return found
      if (sentForms(source).some((form) => pattern.test(form))) found.push(source)
    }
  }
  return found
}
