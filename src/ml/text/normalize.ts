import { ByteText } from "./byte-text.ts"
import { CHARACTER_CLASS, DIGIT, LOWER, UPPER } from "./characters.ts"
import { BLOB_RUN_MIN, decodeBlobs } from "./decode-blobs.ts"
import { decodeEscapes } from "./decode-escapes.ts"
import { foldCase } from "./fold-case.ts"
import { foldCodePoint, foldUtf8 } from "./fold-utf8.ts"
import { nothingUndone, type Undone } from "./undone.ts"

/** Raise on every change of what the normaliser puts out: models are bound to it. */
export const NORMALIZER_VERSION = 3
/** Characters (UTF-16 units) of a text that are read; what lies beyond is not judged. */
export const TEXT_CHARS_MAX = 65_536
const ROUNDS_MAX = 4
/** Layers of base64, hexadecimal or character codes that are undone. */
const BLOB_LAYERS_MAX = 2
/** Three UTF-8 bytes at most stand for one UTF-16 unit; two quotes come to `chr(9)`, and no more. */
const CAPACITY = TEXT_CHARS_MAX * 3

const encoder = new TextEncoder()

/** What a pass over the bytes notes, so that later passes run only where there is work. */
const ESCAPE = 1
const BLANK = 2
const PLUS = 4
const PARENTHESIS = 8
const BLOB_BIT = 4
const BLOB = 1 << BLOB_BIT
const NUL = 32
const NOTES: Uint8Array = Uint8Array.from(CHARACTER_CLASS, noteOf)

/**
 * Brings the many spellings of one payload to one: escapes undone (four layers), text in base64,
 * hexadecimal or character codes written out, wide and overlong characters, comments, string
 * concatenation, case and white space folded. Linear in the text, bounded by TEXT_CHARS_MAX. One
 * instance is a workspace: the result is valid until the next call.
 */
export class Normalizer {
  #text = new ByteText(CAPACITY)
  #spare = new ByteText(CAPACITY)
  #seen = 0
  #longestRun = 0
  #plusIsBlank = false
  undone: Undone = nothingUndone()

  normalize(text: string): ByteText {
    this.undone = nothingUndone()
    this.#plusIsBlank = false
    this.#load(text)
    if ((this.#seen & ESCAPE) !== 0) this.#decode()
    for (let layer = 0; layer < BLOB_LAYERS_MAX && this.#mayHoldBlob(); layer++) {
      if (!decodeBlobs(this.#text, this.#spare, this.undone)) break
      this.#swap()
      foldUtf8(this.#text, this.undone)
      this.#note()
      this.#decode()
    }
    foldCase(this.#text, this.#spare, { undone: this.undone, plusIsBlank: this.#plusIsBlank })
    this.#swap()
    return this.#text
  }

  #mayHoldBlob(): boolean {
    return this.#longestRun >= BLOB_RUN_MIN || (this.#seen & PARENTHESIS) !== 0
  }

  /** UTF-16 to UTF-8, NUL left out: what splits a word must be gone before words are looked for. */
  #load(text: string): void {
    if (this.#loadAscii(text)) return
    const target = this.#text
    const { bytes, starts, ends } = target
    const length = Math.min(text.length, TEXT_CHARS_MAX)
    let at = 0
    for (let index = 0; index < length; index++) {
      const unit = text.charCodeAt(index)
      if (unit === 0) {
        this.undone.nul += 1
      } else if (unit < 0x80) {
        bytes[at] = unit
        starts[at] = index
        ends[at++] = index + 1
      } else {
        target.length = at
        index += this.#loadWide(text, index)
        at = target.length
      }
    }
    target.length = at
    this.#note()
  }

  /** By the runtime's own encoder. @returns false for a text that is more than ASCII */
  #loadAscii(text: string): boolean {
    if (text.length > TEXT_CHARS_MAX) return false
    const target = this.#text
    const { bytes, starts, ends } = target
    const { length } = text
    if (encoder.encodeInto(text, bytes).written !== length) return false
    for (let index = 0; index < length; index++) {
      starts[index] = index
      ends[index] = index + 1
    }
    target.length = length
    this.#note()
    return (this.#seen & NUL) === 0
  }

  /** @returns units read beyond the first */
  #loadWide(text: string, index: number): number {
    const codePoint = text.codePointAt(index) ?? 0
    const units = codePoint > 0xffff ? 2 : 1
    const lone = codePoint >= 0xd800 && codePoint <= 0xdfff
    const folded = lone ? 0xfffd : foldCodePoint(codePoint, this.undone)
    this.#text.pushCodePoint(folded, index, index + units)
    return units - 1
  }

  #decode(): void {
    while (this.undone.rounds < ROUNDS_MAX && (this.#seen & ESCAPE) !== 0) {
      if (!decodeEscapes(this.#text, this.#spare, this.undone)) break
      this.undone.rounds += 1
      this.#swap()
      foldUtf8(this.#text, this.undone)
      this.#note()
    }
  }

  /**
   * Notes whether later passes have anything to do. A form's value has its blanks as `+` in one of
   * the layers, whichever it is and whatever the layers below it hold.
   */
  #note(): void {
    const { bytes, length } = this.#text
    let seen = 0
    let run = 0
    let longest = 0
    for (let index = 0; index < length; index++) {
      const note = NOTES[bytes[index] as number] as number
      seen |= note
      // without a branch: where words end, no processor foresees
      run = (run + 1) & -((note >> BLOB_BIT) & 1)
      longest = Math.max(longest, run)
    }
    this.#seen = seen
    this.#longestRun = longest
    this.#plusIsBlank ||= (seen & (PLUS | BLANK)) === PLUS
  }

  #swap(): void {
    const text = this.#text
    this.#text = this.#spare
    this.#spare = text
  }
}

function noteOf(kind: number, byte: number): number {
  if (byte === 0) return NUL
  if (byte === 0x25 || byte === 0x26 || byte === 0x5c) return ESCAPE
  if (byte === 0x20) return BLANK
  if (byte === 0x2b) return PLUS | BLOB
  if (byte === 0x2f) return BLOB
  if (byte === 0x28) return PARENTHESIS
  return (kind & (LOWER | UPPER | DIGIT)) !== 0 ? BLOB : 0
}
