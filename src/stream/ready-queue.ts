/** First in, first out, without moving what stays, as `Array.shift` would for each record. */
export class ReadyQueue<T> {
  #items: (T | undefined)[] = []
  #head = 0

  push(item: T): void {
    this.#items.push(item)
  }

  /** The one that `shift` would take. */
  get head(): T | undefined {
    return this.#items[this.#head]
  }

  get size(): number {
    return this.#items.length - this.#head
  }

  shift(): T | undefined {
    const item = this.#items[this.#head]
    if (item === undefined) return undefined
    this.#items[this.#head] = undefined
    this.#head += 1
    if (this.#head === this.#items.length) this.clear()
    else if (this.#head >= 1_024 && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return item
  }

  clear(): void {
    this.#items.length = 0
    this.#head = 0
  }
}
