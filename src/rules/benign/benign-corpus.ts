import { inspectedText, sendingsOf } from "../sendings.ts"

/** Requests that nobody attacks with, as a WAF sees them. */
export interface BenignCorpus {
  readonly name: string
  /** Texts in it; each stands there as a query, encoded and plain, and as JSON. */
  readonly count: number
  /** True as soon as one text is met. */
  meets(pattern: RegExp): boolean
  /** What is met, with what stands around it; at most `max`, one of each stretch of the corpus. */
  examples(pattern: RegExp, max: number): readonly string[]
}

/** Characters that are searched at once: long enough to be fast, short enough to stay in a cache. */
const CHUNK_CHARACTERS = 262_144
/** A NUL stands in no text of the corpus, and patterns that rules may have seldom read one. */
const BETWEEN = "\n\0\n"
const TEXT_CHARACTERS_MAX = 4_096
const AROUND = 40
const HEADERS = { "user-agent": "Mozilla/5.0 (X11; Linux x86_64)" } as const

/**
 * Reads the texts once and keeps what a WAF would see of them: about four bytes a character.
 *
 * A pattern that meets one stretch is likely to meet the same as the last one did, so that stretch
 * is searched first.
 */
export function benignCorpus(name: string, texts: Iterable<string>): BenignCorpus {
  const writer = new ChunkWriter()
  let count = 0
  for (const text of texts) {
    for (const form of sentForms(text.slice(0, TEXT_CHARACTERS_MAX))) writer.add(form)
    count += 1
  }
  const chunks = writer.close()
  return {
    name,
    count,
    meets(pattern) {
      const met = chunks.findIndex((chunk) => pattern.test(chunk))
      if (met > 0) chunks.unshift(...chunks.splice(met, 1))
      return met >= 0
    },
    examples: (pattern, max) => examplesIn(chunks, pattern, max),
  }
}

/** Of the headers the one whose brackets a pattern may reach behind a text. */
function sentForms(text: string): readonly string[] {
  const [query, plain, , json] = sendingsOf(text, "query:q")
  return [query, plain, json].flatMap((request) =>
    request === undefined ? [] : inspectedText({ ...request, headers: HEADERS }),
  )
}

/** Gathers texts to chunks; those in ASCII apart, for they need half the memory and time. */
class ChunkWriter {
  readonly #chunks: string[] = []
  #ascii = ""
  #others = ""

  add(text: string): void {
    if (/^[\0-\x7f]*$/.test(text)) this.#ascii = this.#grown(this.#ascii + text + BETWEEN)
    else this.#others = this.#grown(this.#others + text + BETWEEN)
  }

  close(): string[] {
    return [...this.#chunks, ...[this.#ascii, this.#others].filter((open) => open !== "")]
  }

  #grown(open: string): string {
    if (open.length < CHUNK_CHARACTERS) return open
    this.#chunks.push(flat(open))
    return ""
  }
}

/** One string instead of the tree of its parts, each of which would stay in memory. */
function flat(text: string): string {
  return Buffer.from(text).toString()
}

function examplesIn(chunks: readonly string[], pattern: RegExp, max: number): readonly string[] {
  const found: string[] = []
  for (const chunk of chunks) {
    if (found.length >= max) break
    const match = pattern.exec(chunk)
    if (match === null) continue
    const end = match.index + match[0].length
    found.push(chunk.slice(Math.max(0, match.index - AROUND), end + AROUND))
  }
  return found
}
