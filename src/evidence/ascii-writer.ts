const CAPACITY_START = 4_096

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

  append(bytes: Uint8Array): void {
    if (this.length + bytes.length > this.#bytes.length) this.#grow(bytes.length)
    this.#bytes.set(bytes, this.length)
    this.length += bytes.length
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
