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
  // Path segments and field values repeat within a session: each text is read once.
  readonly #texts = new Map<string, TextStatistics>()

  get distinctTexts(): number {
    return this.#texts.size
  }

  add(whole: string): void {
    this.count += 1
    this.totalLength += whole.length
    this.maxLength = Math.max(this.maxLength, whole.length)
    const text = whole.length > CHARACTERS_MAX ? whole.slice(0, CHARACTERS_MAX) : whole
    const { entropy, specialRatio, digitRatio, nonAsciiRatio, hasPercent } = this.#read(text)
    this.totalEntropy += entropy
    this.maxEntropy = Math.max(this.maxEntropy, entropy)
    this.totalSpecialRatio += specialRatio
    this.maxSpecialRatio = Math.max(this.maxSpecialRatio, specialRatio)
    this.totalDigitRatio += digitRatio
    this.totalNonAsciiRatio += nonAsciiRatio
    if (hasPercent) this.withPercent += 1
  }

  #read(text: string): TextStatistics {
    const known = this.#texts.get(text)
    if (known !== undefined) return known
    const statistics = readText(text)
    this.#texts.set(text, statistics)
    // Every pattern needs a character that is neither letter nor digit.
    if (statistics.specialRatio > 0) this.#addPatterns(text)
    return statistics
  }

  #addPatterns(text: string): void {
    this.hasSql ||= SQL.test(text)
    this.hasXss ||= XSS.test(text)
    this.hasCommand ||= COMMAND.test(text)
    this.hasTraversal ||= TRAVERSAL.test(text)
  }
}

/** What is known of one text; ratios are over its length + 1. */
interface TextStatistics {
  readonly entropy: number
  readonly specialRatio: number
  readonly digitRatio: number
  readonly nonAsciiRatio: number
  readonly hasPercent: boolean
}

/** Zero between calls: `entropyOf` clears what a text has counted. */
const HISTOGRAM = new Uint16Array(256)

function readText(text: string): TextStatistics {
  let alphanumeric = 0
  let digits = 0
  let wide = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    const bucket = bucketOf(code)
    HISTOGRAM[bucket] = (HISTOGRAM[bucket] ?? 0) + 1
    const mark = MARKS[code] ?? -1
    if (mark > 0) alphanumeric += 1
    if (mark > 1) digits += 1
    if (mark < 0) wide += 1
  }
  // A letter of another script is no special character, though it is not ASCII.
  const letters = wide === 0 ? 0 : (text.match(/[^\p{ASCII}\P{Alphabetic}]/gu)?.length ?? 0)
  const denominator = text.length + 1
  return {
    entropy: entropyOf(text),
    specialRatio: Math.max(0, text.length - alphanumeric - letters) / denominator,
    digitRatio: digits / denominator,
    nonAsciiRatio: wide / denominator,
    hasPercent: text.includes("%"),
  }
}

/** Wide characters share the upper half of the histogram: exact for ASCII, close for the rest. */
function bucketOf(code: number): number {
  return code < 128 ? code : 128 + (code & 127)
}

/** Shannon entropy in bits per character of the text that the histogram counts; clears it. */
function entropyOf(text: string): number {
  let sum = 0
  for (let i = 0; i < text.length; i++) {
    const bucket = bucketOf(text.charCodeAt(i))
    const count = HISTOGRAM[bucket] ?? 0
    if (count > 1) sum += count * Math.log2(count)
    HISTOGRAM[bucket] = 0
  }
  return text.length < 2 ? 0 : Math.max(0, Math.log2(text.length) - sum / text.length)
}
