import { generatePayloads } from "../../src/ml/generators/payloads.ts"

const SEED = 20_261_125
const GENERATED = 60_000
/** Of the whole, half of them on each side of the median. */
const TEXTS = 20_000
const MEDIAN_BYTES = 120
/** Longer ones are documents, which no caller asks about one by one. */
const BYTES_MAX = 1_000

/**
 * Payloads of the generators, mixed in length: half of them shorter than 120 bytes of UTF-8, half
 * longer, none beyond 1,000. A seed that training does not use.
 */
export function loadTexts(): readonly string[] {
  const short: string[] = []
  const long: string[] = []
  for (const { text } of generatePayloads({ seed: SEED, count: GENERATED })) {
    const bytes = Buffer.byteLength(text)
    const side = bytes < MEDIAN_BYTES ? short : long
    if (bytes <= BYTES_MAX && side.length < TEXTS / 2) side.push(text.toWellFormed())
  }
  // one of each in turn: every stretch of the list has the same mix
  return short.flatMap((text, index) => [text, long[index] ?? text])
}

/** One a line, as they stand inside a JSON string. */
export function escapedLines(texts: readonly string[]): string {
  return texts.map((text) => `${JSON.stringify(text).slice(1, -1)}\n`).join("")
}
