const CAPACITY_START = 32_768
const SEPARATOR = ", "
const [COMMA, SPACE] = [0x2c, 0x20]

/** A list at the end of what was written, SEPARATOR between its items. */
interface WrittenList {
  /** Where the first item begins. */
  readonly start: number
  /** Where each item ends. */
  readonly ends: readonly number[]
}

/** A growing buffer of ASCII: canonical JSON holds nothing else, and is hashed as bytes. */
export class AsciiWriter {
  #bytes = new Uint8Array(CAPACITY_START)
  length = 0

  /** @param unit 0..127 */
  unit(unit: number): void {
    if (this.length === this.#bytes.length) this.#grow(1)
    this.#bytes[this.length] = unit
    this.length += 1
  }

  text(text: string): void {
    this.range(text, 0, text.length)
  }

  /** The part of an ASCII text from `start` to before `end`. */
  range(text: string, start: number, end: number): void {
    if (this.length + end - start > this.#bytes.length) this.#grow(end - start)
    const bytes = this.#bytes
    const shift = this.length - start
    for (let at = start; at < end; at += 1) bytes[at + shift] = text.charCodeAt(at)
    this.length = end + shift
  }

  separator(): void {
    this.text(SEPARATOR)
  }

  /** Writes the items of the list again in this order, those that it names. */
  rearrange({ start, ends }: WrittenList, order: readonly number[]): void {
    const size = this.length - start
    if (this.length + size > this.#bytes.length) this.#grow(size)
    const bytes = this.#bytes.copyWithin(this.length, start, this.length)
    let at = start
    for (const item of order) {
      if (at > start) {
        bytes[at] = COMMA
        bytes[at + 1] = SPACE
        at += SEPARATOR.length
      }
      const from = item === 0 ? start : (ends[item - 1] ?? 0) + SEPARATOR.length
      const to = ends[item] ?? from
      bytes.copyWithin(at, from + size, to + size)
      at += to - from
    }
    this.length = at
  }

  /** What was written from `start` on; a view that the next write may change. */
  from(start: number): Uint8Array {
    return this.#bytes.subarray(start, this.length)
  }

  #grow(room: number): void {
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.length + room))
    grown.set(this.from(0))
    this.#bytes = grown
  }
}
