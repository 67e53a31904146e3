/**
 * A text as bytes, each with the stretch of the original that it came from: the source map that
 * lets an explanation point into the payload as received. Allocated once and reused.
 */
export class ByteText {
  readonly bytes: Uint8Array
  /** Offset (UTF-16 units of the original) at which the source of each byte begins. */
  readonly starts: Int32Array
  /** Offset at which the source of each byte ends, exclusive. */
  readonly ends: Int32Array
  length = 0

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity)
    this.starts = new Int32Array(capacity)
    this.ends = new Int32Array(capacity)
  }

  /** Silently full at capacity: capacities are chosen so that no pass can reach them. */
  push(byte: number, start: number, end: number): void {
    const at = this.length++
    this.bytes[at] = byte
    this.starts[at] = start
    this.ends[at] = end
  }

  /** Appends byte `index` of another text with its source. */
  copy(other: ByteText, index: number): void {
    this.push(other.bytes[index] ?? 0, other.starts[index] ?? 0, other.ends[index] ?? 0)
  }

  /** Byte at `index`, or 0 beyond the end. */
  at(index: number): number {
    return index < this.length ? (this.bytes[index] ?? 0) : 0
  }

  /** Appends the UTF-8 bytes of a code point, every byte mapped to the same source. */
  pushCodePoint(codePoint: number, start: number, end: number): void {
    if (codePoint < 0x80) {
      this.push(codePoint, start, end)
      return
    }
    if (codePoint < 0x800) {
      this.push(0xc0 | (codePoint >> 6), start, end)
    } else {
      if (codePoint < 0x10000) {
        this.push(0xe0 | (codePoint >> 12), start, end)
      } else {
        this.push(0xf0 | (codePoint >> 18), start, end)
        this.push(0x80 | ((codePoint >> 12) & 0x3f), start, end)
      }
      this.push(0x80 | ((codePoint >> 6) & 0x3f), start, end)
    }
    this.push(0x80 | (codePoint & 0x3f), start, end)
  }

  toString(): string {
    return new TextDecoder().decode(this.bytes.subarray(0, this.length))
  }
}
