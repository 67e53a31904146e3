import type { SessionPayload } from "../../events.ts"

/** Sums over the payloads of a session, from which the payload features are read. */
export interface PayloadStatistics {
  readonly count: number
  readonly distinctTexts: number
  readonly totalEntropy: number
  readonly maxEntropy: number
  readonly totalLength: number
  readonly maxLength: number
  readonly totalSpecialRatio: number
  readonly maxSpecialRatio: number
  readonly withPercent: number
  readonly totalDigitRatio: number
  readonly totalNonAsciiRatio: number
  readonly hasSql: boolean
  readonly hasXss: boolean
  readonly hasCommand: boolean
  readonly hasTraversal: boolean
}

/** Characters of one payload that are looked at: a longer one is judged by its beginning. */
const CHARACTERS_MAX = 2048

const SQL =
  /\b(?:union\s{1,8}(?:all\s{1,8})?select|select\s|insert\s{1,8}into|delete\s{1,8}from|drop\s{1,8}table|update\s{1,8}\w{1,64}\s{1,8}set|order\s{1,8}by|sleep\s{0,8}\(|benchmark\s{0,8}\(|waitfor\s{1,8}delay|information_schema)|['"]\s{0,8}(?:or|and)\s{1,8}['"\d(]/i
const XSS =
  /<\s{0,8}(?:script|img|svg|iframe|body|object|embed)|\bon[a-z]{3,20}\s{0,8}=|javascript:/i
const COMMAND =
  /(?:[;|&`]|\$\(|%0a)\s{0,8}(?:\/(?:usr\/)?bin\/)?(?:cat|ls|id|whoami|uname|wget|curl|nc|bash|sh|ping|sleep|rm|echo|nslookup|dig|python3?|perl|powershell|cmd)\b/i
const TRAVERSAL = /(?:\.\.|%2e%2e|\.%2e|%2e\.)(?:[\\/]|%2f|%5c)|\/etc\/(?:passwd|shadow)/i

/** Marks of a character code below 128: 1 = alphanumeric, 2 = digit. */
const MARKS = new Uint8Array(128)
for (let code = 0; code < 128; code++) {
  const character = String.fromCharCode(code)
  MARKS[code] = (/[A-Za-z0-9]/.test(character) ? 1 : 0) + (/[0-9]/.test(character) ? 2 : 0)
}

/** Reads every payload once. Each is bounded to its first 2,048 characters. */
export function payloadStatistics(payloads: readonly SessionPayload[]): PayloadStatistics {
  const sums = new PayloadSums()
  for (const payload of payloads) sums.add(payload.text)
  return sums
}

class PayloadSums implements PayloadStatistics {
  count = 0
  totalEntropy = 0
  maxEntropy = 0
  totalLength = 0
  maxLength = 0
  totalSpecialRatio = 0
  maxSpecialRatio = 0
  withPercent = 0
  totalDigitRatio = 0
  totalNonAsciiRatio = 0
  hasSql = false
  hasXss = false
  hasCommand = false
  hasTraversal = false
  readonly #texts = new Set<string>()
  readonly #histogram = new Uint16Array(256)

  get distinctTexts(): number {
    return this.#texts.size
  }

  add(whole: string): void {
    this.count += 1
    this.totalLength += whole.length
    this.maxLength = Math.max(this.maxLength, whole.length)
    const text = whole.length > CHARACTERS_MAX ? whole.slice(0, CHARACTERS_MAX) : whole
    this.#texts.add(text)
    this.#addCharacters(text)
    this.#addPatterns(text)
  }

  #addCharacters(text: string): void {
    const histogram = this.#histogram.fill(0)
    let alphanumeric = 0
    let digits = 0
    let wide = 0
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i)
      // Wide characters share the upper half of the histogram: exact for ASCII, close for the rest.
      const bucket = code < 128 ? code : 128 + (code & 127)
      histogram[bucket] = (histogram[bucket] ?? 0) + 1
      const mark = MARKS[code] ?? -1
      if (mark > 0) alphanumeric += 1
      if (mark > 1) digits += 1
      if (mark < 0) wide += 1
    }
    const entropy = entropyOf(histogram, text.length)
    this.totalEntropy += entropy
    this.maxEntropy = Math.max(this.maxEntropy, entropy)
    // A letter of another script is no special character, though it is not ASCII.
    const letters = wide === 0 ? 0 : (text.match(/[^\p{ASCII}\P{Alphabetic}]/gu)?.length ?? 0)
    const special = Math.max(0, text.length - alphanumeric - letters) / (text.length + 1)
    this.totalSpecialRatio += special
    this.maxSpecialRatio = Math.max(this.maxSpecialRatio, special)
    this.totalDigitRatio += digits / (text.length + 1)
    this.totalNonAsciiRatio += wide / (text.length + 1)
  }

  #addPatterns(text: string): void {
    if (text.includes("%")) this.withPercent += 1
    this.hasSql ||= SQL.test(text)
    this.hasXss ||= XSS.test(text)
    this.hasCommand ||= COMMAND.test(text)
    this.hasTraversal ||= TRAVERSAL.test(text)
  }
}

/** Shannon entropy in bits per character of a histogram whose counts sum to `total`. */
function entropyOf(histogram: Uint16Array, total: number): number {
  if (total < 2) return 0
  let sum = 0
  for (const count of histogram) if (count > 0) sum += count * Math.log2(count)
  return Math.max(0, Math.log2(total) - sum / total)
}
