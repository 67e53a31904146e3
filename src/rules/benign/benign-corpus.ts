import { inspectedText, sendingsOf } from "../sendings.ts"
import { StretchWriter, textsMeeting } from "./corpus-texts.ts"

/** Requests that nobody attacks with, as a WAF sees them. */
export interface BenignCorpus {
  readonly name: string
  /** Texts in it; each stands there as a query, encoded and plain, and as JSON. */
  readonly count: number
  /**
   * True as soon as one text is met.
   * @param parts patterns of which every text that `pattern` meets must meet each, the rarest first:
   * where few texts meet one of them, only those are searched
   */
  meets(pattern: RegExp, parts?: readonly string[]): boolean
  /** The first texts that a pattern meets. */
  met(pattern: RegExp, parts?: readonly string[]): readonly string[]
}

const TEXT_CHARACTERS_MAX = 4_096
const HEADERS = { "user-agent": "Mozilla/5.0 (X11; Linux x86_64)" } as const
/** A part that meets more texts than this leaves too many to search. */
const FEW = 16_000
/** Parts whose texts are kept: attacks share most of theirs. */
const PARTS_KEPT_MAX = 64
const TELLING_MAX = 128
const MET_MAX = 64

/** Reads the texts once and keeps what a WAF would see of them: about four bytes a character. */
export function benignCorpus(name: string, texts: Iterable<string>): BenignCorpus {
  const writer = new StretchWriter()
  let count = 0
  for (const text of texts) {
    for (const form of sentForms(text.slice(0, TEXT_CHARACTERS_MAX))) writer.add(form)
    count += 1
  }
  return new SearchedCorpus({ name, count }, writer.close())
}

/** Of the headers the one whose brackets a pattern may reach behind a text. */
function sentForms(text: string): readonly string[] {
  const [query, plain, , json] = sendingsOf(text, "query:q")
  return [query, plain, json].flatMap((request) =>
    request === undefined ? [] : inspectedText({ ...request, headers: HEADERS }),
  )
}

class SearchedCorpus implements BenignCorpus {
  readonly name: string
  readonly count: number
  readonly #stretches: readonly string[]
  /** Texts that met a pattern, the latest first: they are likely to meet the next one too. */
  #telling: readonly string[] = []
  /** By part, the texts that it meets; undefined where they are many. */
  readonly #known = new Map<string, readonly string[] | undefined>()

  constructor({ name, count }: Pick<BenignCorpus, "name" | "count">, stretches: string[]) {
    this.name = name
    this.count = count
    this.#stretches = stretches
  }

  meets(pattern: RegExp, parts: readonly string[] = []): boolean {
    const met =
      this.#telling.find((text) => pattern.test(text)) ?? this.#meeting(pattern, parts).next().value
    if (met === undefined) return false
    this.#telling = [met, ...this.#telling.filter((text) => text !== met)].slice(0, TELLING_MAX)
    return true
  }

  met(pattern: RegExp, parts: readonly string[] = []): readonly string[] {
    return this.#meeting(pattern, parts).take(MET_MAX).toArray()
  }

  *#meeting(pattern: RegExp, parts: readonly string[]): Generator<string> {
    for (const part of parts) {
      const few = this.#fewMeeting(part)
      if (few === undefined) continue
      yield* few.filter((text) => pattern.test(text))
      return
    }
    for (const stretch of this.#stretches) yield* textsMeeting(stretch, pattern)
  }

  #fewMeeting(part: string): readonly string[] | undefined {
    const known = this.#known.get(part)
    if (known !== undefined || this.#known.has(part)) return known
    const [oldest] = this.#known.keys()
    if (this.#known.size >= PARTS_KEPT_MAX && oldest !== undefined) this.#known.delete(oldest)
    const texts = this.#searched(new RegExp(part, "u"))
    this.#known.set(part, texts)
    return texts
  }

  #searched(part: RegExp): readonly string[] | undefined {
    const texts: string[] = []
    for (const stretch of this.#stretches) {
      for (const text of textsMeeting(stretch, part)) {
        if (texts.length >= FEW) return undefined
        texts.push(text)
      }
    }
    return texts
  }
}
