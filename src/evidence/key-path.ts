const FIRST_SURROGATE = 0xd800

/**
 * The keys of an object in the order in which they were written. Objects with the same keys share
 * one path, and with it what is known of their order: the objects of a HAR are much alike.
 */
export class KeyPath {
  readonly #parent: KeyPath | undefined
  readonly #key: string
  readonly #length: number
  /** True where every key sorts after the one before: nothing is to be done. */
  readonly isSorted: boolean
  /** How a JSON text writes the key; the empty path has none. */
  readonly literal: string
  /** The path by which this one went on last. */
  latest: KeyPath | undefined
  #others: Map<string, KeyPath> | undefined
  #order: readonly number[] | undefined

  private constructor(parent: KeyPath | undefined, key: string) {
    this.#parent = parent
    this.#key = key
    this.#length = parent === undefined ? 0 : parent.#length + 1
    this.literal = parent === undefined ? "" : JSON.stringify(key)
    const isFirst = parent === undefined || parent.#length === 0
    this.isSorted = isFirst || (parent.isSorted && compareCodePoints(parent.#key, key) < 0)
  }

  static empty(): KeyPath {
    return new KeyPath(undefined, "")
  }

  /** The path with one more key. */
  with(key: string): KeyPath {
    const { latest } = this
    if (latest !== undefined && latest.#key === key) return latest
    if (latest !== undefined) {
      this.#others ??= new Map()
      this.#others.set(latest.#key, latest)
    }
    this.latest = this.#others?.get(key) ?? new KeyPath(this, key)
    return this.latest
  }

  /** Indices of the keys, sorted by code point; of duplicates the last. */
  get order(): readonly number[] {
    this.#order ??= this.#sort()
    return this.#order
  }

  #sort(): readonly number[] {
    const last = new Map<string, number>()
    for (let path: KeyPath = this; path.#parent !== undefined; path = path.#parent) {
      if (!last.has(path.#key)) last.set(path.#key, path.#length - 1)
    }
    return [...last].sort(([left], [right]) => compareCodePoints(left, right)).map(([, at]) => at)
  }
}

/** JavaScript compares UTF-16 units, Python code points: they differ beyond the basic plane. */
function compareCodePoints(left: string, right: string): number {
  const length = Math.min(left.length, right.length)
  for (let i = 0; i < length; i += 1) {
    const one = left.charCodeAt(i)
    const other = right.charCodeAt(i)
    if (one === other) continue
    if (one >= FIRST_SURROGATE || other >= FIRST_SURROGATE) return compareSlowly(left, right)
    return one - other
  }
  return left.length - right.length
}

function compareSlowly(left: string, right: string): number {
  const rights = right[Symbol.iterator]()
  for (const leftPoint of left) {
    const next = rights.next()
    if (next.done) return 1
    const difference = (leftPoint.codePointAt(0) ?? 0) - (next.value.codePointAt(0) ?? 0)
    if (difference !== 0) return difference
  }
  return rights.next().done ? 0 : -1
}
