import type { ExtractedPayload, PayloadKind, SessionPayload } from "../events.ts"

export const PAYLOADS_MAX = 5_000
export const PAYLOADS_PER_REQUEST_MAX = 1_000
/** Characters of one payload that are kept. */
export const PAYLOAD_CHARS_MAX = 16_384
const LOCATION_CHARS_MAX = 256

interface Draft {
  id: string | undefined
  readonly text: string
  readonly kind: PayloadKind
  readonly location: string
  readonly origin: "har" | "producer"
  readonly requestIndex: number | undefined
}

/**
 * Gathers the payloads of one session: merged by text and location, bounded in number per request
 * and per session and in length. What a bound cut is told by `truncated`.
 */
export class PayloadCollector {
  readonly #drafts = new Map<string, Draft>()
  readonly #byText = new Map<string, Draft>()
  #requestIndex: number | undefined
  #inRequest = 0
  truncated = false

  startRequest(index: number): void {
    this.#requestIndex = index
    this.#inRequest = 0
  }

  /** Adds a text that the current request carried; an empty one is none. */
  add(text: string, kind: PayloadKind, location: string): void {
    if (text === "") return
    if (this.#inRequest >= PAYLOADS_PER_REQUEST_MAX) {
      this.truncated = true
      return
    }
    this.#inRequest += 1
    const requestIndex = this.#requestIndex
    this.#merge({ id: undefined, text, kind, location, origin: "har", requestIndex })
  }

  /**
   * Adds what the producer extracted. One without location, or of a place where the HAR had the same
   * text, is that payload, and lends it its id.
   */
  addProduced(payload: ExtractedPayload): void {
    if (payload.value === "") return
    const known = payload.location === undefined ? this.#byText.get(payload.value) : undefined
    if (known !== undefined) {
      known.id ??= payload.id
      return
    }
    this.#merge({
      id: payload.id,
      text: payload.value,
      kind: kindOf(payload),
      location: payload.location ?? "producer",
      origin: "producer",
      requestIndex: undefined,
    })
  }

  /** In the order in which they were added; every id is unique. */
  payloads(): readonly SessionPayload[] {
    const taken = new Set<string>()
    return [...this.#drafts.values()].map((draft, index) => {
      const given =
        draft.id !== undefined && !taken.has(draft.id) ? draft.id : `payload_${index + 1}`
      const id = taken.has(given) ? `payload_${index + 1}_${taken.size}` : given
      taken.add(id)
      return { ...draft, id }
    })
  }

  #merge(draft: Draft): void {
    const bounded = this.#bounded(draft)
    const key = `${bounded.location}\0${bounded.text}`
    const known = this.#drafts.get(key)
    if (known !== undefined) {
      known.id ??= draft.id
      return
    }
    if (this.#drafts.size >= PAYLOADS_MAX) {
      this.truncated = true
      return
    }
    this.#drafts.set(key, bounded)
    if (!this.#byText.has(bounded.text)) this.#byText.set(bounded.text, bounded)
  }

  #bounded(draft: Draft): Draft {
    const { text, location } = draft
    if (text.length <= PAYLOAD_CHARS_MAX && location.length <= LOCATION_CHARS_MAX) return draft
    if (text.length > PAYLOAD_CHARS_MAX) this.truncated = true
    return {
      ...draft,
      text: text.slice(0, PAYLOAD_CHARS_MAX),
      location: shortened(location, LOCATION_CHARS_MAX),
    }
  }
}

/** The middle goes: the end of a name tells whether it is a password's, and is never cut. */
export function shortened(name: string, charsMax: number): string {
  if (name.length <= charsMax) return name
  const half = (charsMax - 1) >> 1
  return `${name.slice(0, half)}…${name.slice(-half)}`
}

const KIND_HINTS: readonly (readonly [RegExp, PayloadKind])[] = [
  [/cookie/i, "cookie"],
  [/header|user.?agent|referr?er/i, "header"],
  [/path|uri|url/i, "path"],
  [/query|arg|param|form|json|field/i, "param"],
  [/request/i, "request"],
  [/body/i, "body"],
]

/** Producers name places freely; a file of theirs may be a cut of the whole request. */
function kindOf({ location, type }: ExtractedPayload): PayloadKind {
  const hint = (location ?? type ?? "").slice(0, LOCATION_CHARS_MAX)
  if (hint === "") return "param"
  return KIND_HINTS.find(([pattern]) => pattern.test(hint))?.[1] ?? "param"
}
