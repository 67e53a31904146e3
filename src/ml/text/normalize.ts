import { ByteText } from "./byte-text.ts"
import { decodeEscapes } from "./decode-escapes.ts"
import { foldCase } from "./fold-case.ts"
import { foldCodePoint, foldUtf8 } from "./fold-utf8.ts"
import { nothingUndone, type Undone } from "./undone.ts"

/** Raise on every change of what the normaliser puts out: models are bound to it. */
export const NORMALIZER_VERSION = 1
/** Characters (UTF-16 units) of a text that are read; what lies beyond is not judged. */
export const TEXT_CHARS_MAX = 65_536
const ROUNDS_MAX = 3
/** No pass lengthens a text: at most three UTF-8 bytes stand for one UTF-16 unit. */
const CAPACITY = TEXT_CHARS_MAX * 3

/**
 * Brings the many spellings of one payload to one: escapes undone (three layers), wide and
 * overlong characters, comments, case and white space folded. Linear in the text, bounded by
 * TEXT_CHARS_MAX. One instance is a workspace: the result is valid until the next call.
 */
export class Normalizer {
  #text = new ByteText(CAPACITY)
  #spare = new ByteText(CAPACITY)
  undone: Undone = nothingUndone()

  normalize(text: string): ByteText {
    this.undone = nothingUndone()
    const { escaped, plusIsBlank } = this.#load(text)
    if (escaped) this.#decode()
    foldCase(this.#text, this.#spare, { undone: this.undone, plusIsBlank })
    this.#swap()
    return this.#text
  }

  /** UTF-16 to UTF-8; notes on the way whether later passes have anything to do. */
  #load(text: string): { escaped: boolean; plusIsBlank: boolean } {
    const target = this.#text
    const length = Math.min(text.length, TEXT_CHARS_MAX)
    let [escaped, blank, plus] = [false, false, false]
    target.length = 0
    for (let index = 0; index < length; index++) {
      const unit = text.charCodeAt(index)
      if (unit >= 0x80) {
        index += this.#loadWide(text, index)
        continue
      }
      if (unit === 0x25 || unit === 0x26 || unit === 0x5c) escaped = true
      else if (unit === 0x20) blank = true
      else if (unit === 0x2b) plus = true
      target.push(unit, index, index + 1)
    }
    return { escaped, plusIsBlank: plus && !blank }
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
    for (let round = 0; round < ROUNDS_MAX; round++) {
      if (!decodeEscapes(this.#text, this.#spare, this.undone)) return
      this.undone.rounds += 1
      this.#swap()
      foldUtf8(this.#text, this.undone)
    }
  }

  #swap(): void {
    const text = this.#text
    this.#text = this.#spare
    this.#spare = text
  }
}
