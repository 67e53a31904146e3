import type { PayloadKind } from "../../events.ts"
import type { ByteText } from "./byte-text.ts"
import { CHARACTER_CLASS, DIGIT, WORD } from "./characters.ts"
import { DENSE_NAMES, DenseFeatures, type WordFindings } from "./dense-features.ts"
import { hashByte, Lexicon, WORD_FAMILY_NAMES, WORD_HASH_START } from "./lexicon.ts"
import { NORMALIZER_VERSION } from "./normalize.ts"
import type { Undone } from "./undone.ts"

export const BUCKETS = 65_536
const HASH_SEED = 0x5eed
/** Bytes that are looked at as one; a longer text is judged window by window. */
export const WINDOW_BYTES = 160
/**
 * Bytes of each window of a longer text: fewer, so that a short attack is not lost among what stands
 * around it.
 */
export const SHORT_WINDOW_BYTES = 40
const NGRAM_MAX = 4
/** The bytes of a gram by its length. */
const GRAM_MASK = Int32Array.of(0, 0xff, 0xffff, 0xffffff, -1)
/** Up to four n-grams end at each byte, and a word gives a unigram and a bigram. */
const OCCURRENCES_MAX = WINDOW_BYTES * (NGRAM_MAX + 2)

/** What a model must agree with to be used: hashed into its metadata. */
export const FEATURE_SCHEMA = {
  version: 3,
  normalizer: NORMALIZER_VERSION,
  buckets: BUCKETS,
  hashSeed: HASH_SEED,
  windowBytes: WINDOW_BYTES,
  shortWindowBytes: SHORT_WINDOW_BYTES,
  byteNgrams: [1, 2, 3, 4],
  wordNgrams: [1, 2],
  dense: DENSE_NAMES,
} as const

/** The part of a text to look at, and what is known of the whole. */
export interface FeatureWindow {
  readonly start: number
  /** Exclusive; at most WINDOW_BYTES after `start`. */
  readonly end: number
  readonly undone: Undone
  readonly kind: PayloadKind | undefined
}

const HANDLER_START = 0x6e6f // "on", read backwards from two bytes
const LETTER_O = 0x6f
const EQUALS = 0x3d

/**
 * The features of one window: the distinct buckets of its byte 1-4-grams, its word uni- and
 * bigrams, and the dense features. An instance is a workspace, valid until the next `compute`.
 */
export class PayloadFeatures {
  /** Every occurrence: its bucket, and the bytes of the text that it covers. */
  readonly occurrenceBuckets: Uint16Array = new Uint16Array(OCCURRENCES_MAX)
  readonly occurrenceStarts: Int32Array = new Int32Array(OCCURRENCES_MAX)
  readonly occurrenceEnds: Int32Array = new Int32Array(OCCURRENCES_MAX)
  occurrenceCount = 0
  /** The distinct buckets, in order of first occurrence. */
  readonly buckets: Uint16Array = new Uint16Array(OCCURRENCES_MAX + 1)
  bucketCount = 0
  readonly dense: DenseFeatures = new DenseFeatures()

  /** A bit for each bucket that is in `buckets`: 8 KiB, which stay in the nearest cache. */
  readonly #seen = new Int32Array(BUCKETS / 32)
  #traced = false
  readonly #lexicon = new Lexicon()
  readonly #findings: WordFindings = {
    families: new Uint16Array(WORD_FAMILY_NAMES.length),
    tautology: 0,
    commandAfterSeparator: 0,
    handlerAssignment: 0,
    tagOpened: 0,
  }

  compute(text: ByteText, window: FeatureWindow): void {
    this.#compute(text, window, false)
  }

  /** The same, and notes where every bucket occurred: an explanation needs it, a verdict not. */
  computeTraced(text: ByteText, window: FeatureWindow): void {
    this.#compute(text, window, true)
  }

  #compute(text: ByteText, window: FeatureWindow, traced: boolean): void {
    this.#seen.fill(0)
    this.bucketCount = 0
    this.#traced = traced
    this.occurrenceCount = 0
    if (traced) this.#traceByteGrams(text, window)
    this.#byteGrams(text, window)
    this.#words(text, window)
    this.dense.compute(text, window, this.#findings)
  }

  /** The hot loop, written out by length; longer grams than there are bytes so far do not exist. */
  #byteGrams({ bytes }: ByteText, { start, end }: FeatureWindow): void {
    let count = this.bucketCount
    let gram = 0
    for (let index = start; index < end; index++) {
      gram = (gram << 8) | (FOLDED[bytes[index] as number] as number)
      const length = index - start + 1
      if (length >= 4) count = this.#append(mix(gram, 4), count)
      if (length >= 3) count = this.#append(mix(gram & 0xffffff, 3), count)
      if (length >= 2) count = this.#append(mix(gram & 0xffff, 2), count)
      count = this.#append(mix(gram & 0xff, 1), count)
    }
    this.bucketCount = count
  }

  /**
   * Whether a bucket is new is added and not asked: no processor foresees it.
   * @returns the number of distinct buckets with this one
   */
  #append(bucket: number, count: number): number {
    const seen = this.#seen
    const word = seen[bucket >>> 5] as number
    this.buckets[count] = bucket
    seen[bucket >>> 5] = word | (1 << bucket)
    return count + ((~word >>> bucket) & 1)
  }

  #traceByteGrams(text: ByteText, { start, end }: FeatureWindow): void {
    let gram = 0
    for (let index = start; index < end; index++) {
      gram = (gram << 8) | (FOLDED[text.bytes[index] ?? 0] ?? 0)
      for (let length = Math.min(NGRAM_MAX, index - start + 1); length > 0; length--) {
        this.#trace(mix(gram & (GRAM_MASK[length] ?? 0), length), index - length + 1, index + 1)
      }
    }
  }

  #words(text: ByteText, { start, end }: FeatureWindow): void {
    const { bytes } = text
    this.#resetFindings()
    let previousHash = 0
    let previousStart = start
    let previousExact = 0
    for (let index = start; index < end; ) {
      if (!isWord(bytes[index] as number)) {
        index += 1
        continue
      }
      const wordStart = index
      let hash = WORD_HASH_START
      let exact = WORD_HASH_START
      for (; index < end; index++) {
        const byte = bytes[index] as number
        if (!isWord(byte)) break
        hash = hashByte(hash, FOLDED[byte] as number)
        exact = hashByte(exact, byte)
      }
      this.#add(mix(hash, 5), wordStart, index)
      if (previousHash !== 0)
        this.#add(mix(Math.imul(previousHash, 31) + hash, 6), previousStart, index)
      const families = this.#lexicon.families(exact)
      const isRepeated = exact === previousExact
      if (families !== 0 || isRepeated || bytes[wordStart] === LETTER_O) {
        const word = { start: wordStart, end: index, families, isRepeated, windowStart: start }
        this.#find(text, word)
      }
      previousHash = hash
      previousStart = wordStart
      previousExact = exact
    }
  }

  #resetFindings(): void {
    this.#findings.families.fill(0)
    this.#findings.tautology = 0
    this.#findings.commandAfterSeparator = 0
    this.#findings.handlerAssignment = 0
    this.#findings.tagOpened = 0
  }

  #find(text: ByteText, word: FoundWord): void {
    const { families, isRepeated } = word
    this.#countFamilies(families)
    const isCommand = (families & COMMAND_BIT) !== 0
    if (isRepeated || isCommand) {
      const before = previousVisible(text, word.start, word.windowStart)
      if (isRepeated && before === EQUALS) this.#findings.tautology += 1
      if (isCommand && isSeparator(before)) this.#findings.commandAfterSeparator += 1
    }
    if ((families & TAG_BIT) !== 0 && text.at(word.start - 1) === 0x3c)
      this.#findings.tagOpened += 1
    const pair = text.at(word.start) | (text.at(word.start + 1) << 8)
    if (pair === HANDLER_START && word.end - word.start > 4 && text.at(word.end) === EQUALS) {
      this.#findings.handlerAssignment += 1
    }
  }

  #countFamilies(families: number): void {
    const counts = this.#findings.families
    for (let bits = families, bit = 0; bits !== 0; bits >>= 1, bit++) {
      if ((bits & 1) !== 0) counts[bit] = (counts[bit] ?? 0) + 1
    }
  }

  #add(bucket: number, start: number, end: number): void {
    if (this.#traced) this.#trace(bucket, start, end)
    this.bucketCount = this.#append(bucket, this.bucketCount)
  }

  #trace(bucket: number, start: number, end: number): void {
    const at = this.occurrenceCount++
    this.occurrenceBuckets[at] = bucket
    this.occurrenceStarts[at] = start
    this.occurrenceEnds[at] = end
  }
}

interface FoundWord {
  readonly start: number
  readonly end: number
  readonly families: number
  /** The word before it is the same. */
  readonly isRepeated: boolean
  readonly windowStart: number
}

const COMMAND_BIT = 1 << WORD_FAMILY_NAMES.indexOf("command")
const TAG_BIT = 1 << WORD_FAMILY_NAMES.indexOf("htmlTag")

/** A 16-bit bucket for a gram of one kind: two multiplications, as murmur3 finishes. */
function mix(gram: number, kind: number): number {
  let hash = Math.imul(gram ^ HASH_SEED ^ (kind << 26), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13) ^ kind, 0xc2b2ae35)
  return hash >>> 16
}

/** All digits are one: which number a payload holds says nothing. */
const FOLDED: Uint8Array = Uint8Array.from(CHARACTER_CLASS, (kind, byte) =>
  (kind & DIGIT) !== 0 ? 0x30 : byte,
)

function isWord(byte: number): boolean {
  return ((CHARACTER_CLASS[byte] ?? 0) & WORD) !== 0
}

/** The byte before `index`, blanks and quotes passed over (at most four); a newline counts. */
function previousVisible(text: ByteText, index: number, start: number): number {
  for (let at = index - 1; at >= start && at >= index - 4; at--) {
    const byte = text.at(at)
    if (byte !== 0x20 && byte !== 0x27 && byte !== 0x22) return byte
  }
  return 0
}

/** Shell: `;` `|` `&` backtick newline `(` as in `$(`. */
function isSeparator(byte: number): boolean {
  return (
    byte === 0x3b ||
    byte === 0x7c ||
    byte === 0x26 ||
    byte === 0x60 ||
    byte === 0x0a ||
    byte === 0x28
  )
}
