/**
 * A seeded generator of pseudo-random numbers: the same seed gives the same sequence everywhere.
 *
 * @see https://gist.github.com/tommyettinger/46a874533244883189143505d203312c (mulberry32, public domain)
 */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed | 0
  }

  /** 32 bits, as a signed integer. */
  bits(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let bits = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits
    return bits ^ (bits >>> 14)
  }

  /** Uniform in [0, 1). */
  next(): number {
    return (this.bits() >>> 0) / 4_294_967_296
  }

  /** Uniform in [min, max). */
  uniform(min: number, max: number): number {
    return min + this.next() * (max - min)
  }

  /** Uniform integer in [0, bound). */
  below(bound: number): number {
    return Math.floor(this.next() * bound)
  }

  /** Uniform integer in [from, to], both included. */
  between(from: number, to: number): number {
    return from + this.below(to - from + 1)
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  /** @throws RangeError for an empty list, which is an error of the caller */
  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)]
    if (item === undefined) throw new RangeError("pick: the list is empty")
    return item
  }

  /** `count` results of `make`, joined. */
  many(count: number, make: () => string, separator = ""): string {
    return Array.from({ length: count }, make).join(separator)
  }

  /** Shuffles in place (Fisher-Yates). */
  shuffle(items: Int32Array): void {
    for (let last = items.length - 1; last > 0; last--) {
      const other = this.below(last + 1)
      const held = items[last] ?? 0
      items[last] = items[other] ?? 0
      items[other] = held
    }
  }

  /** Log-normal: `median` times or divided by about e^spread. */
  around(median: number, spread: number): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.next()))
    return median * Math.exp(spread * radius * Math.cos(2 * Math.PI * this.next()))
  }

  /** Lower-case hexadecimal digits. */
  hex(length: number): string {
    let digits = ""
    while (digits.length < length) digits += this.below(16).toString(16)
    return digits
  }
}
