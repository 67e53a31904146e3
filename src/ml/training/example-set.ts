import { PAYLOAD_CLASSES } from "../../events.ts"
import type { LabelledPayload } from "../evaluation/labelled-payloads.ts"
import type { SparseRow } from "../models/linear-softmax.ts"
import { DENSE_COUNT } from "../text/dense-features.ts"
import { Normalizer } from "../text/normalize.ts"
import { PayloadFeatures } from "../text/payload-features.ts"
import { windowAt, windowCount } from "../text/windows.ts"

/** Windows of one text that training looks at; more would let a long page outweigh the rest. */
const WINDOWS_MAX = 72

/** Featurised examples in flat arrays that grow by doubling; each has one or more windows. */
export class ExampleSet {
  #buckets = new Uint16Array(1 << 20)
  #dense = new Float32Array(1 << 18)
  #bucketCount = 0
  /** Where the buckets of each window begin; one more at the end. */
  readonly #windowBuckets: number[] = [0]
  /** Where the windows of each example begin; one more at the end. */
  readonly #exampleWindows: number[] = [0]
  readonly labels: number[] = []
  readonly #normalizer = new Normalizer()
  readonly #features = new PayloadFeatures()

  get size(): number {
    return this.labels.length
  }

  add({ text, label, kind }: LabelledPayload): void {
    const normalized = this.#normalizer.normalize(text)
    const { undone } = this.#normalizer
    const windows = Math.min(WINDOWS_MAX, windowCount(normalized.length))
    for (let index = 0; index < windows; index++) {
      const window = windowAt(normalized.length, index)
      this.#features.compute(normalized, { ...window, undone, kind })
      this.#addWindow()
    }
    this.#exampleWindows.push(this.#windowBuckets.length - 1)
    this.labels.push(PAYLOAD_CLASSES.indexOf(label))
  }

  /** The first window of an example, and the end of its windows. */
  windowsOf(example: number): { readonly from: number; readonly to: number } {
    return {
      from: this.#exampleWindows[example] ?? 0,
      to: this.#exampleWindows[example + 1] ?? 0,
    }
  }

  row(window: number): SparseRow {
    return {
      buckets: this.#buckets,
      bucketsFrom: this.#windowBuckets[window] ?? 0,
      bucketsTo: this.#windowBuckets[window + 1] ?? 0,
      dense: this.#dense,
      denseFrom: window * DENSE_COUNT,
    }
  }

  #addWindow(): void {
    const { buckets, bucketCount, dense } = this.#features
    const window = this.#windowBuckets.length - 1
    this.#reserve(this.#bucketCount + bucketCount, (window + 1) * DENSE_COUNT)
    this.#buckets.set(buckets.subarray(0, bucketCount), this.#bucketCount)
    this.#dense.set(dense.values, window * DENSE_COUNT)
    this.#bucketCount += bucketCount
    this.#windowBuckets.push(this.#bucketCount)
  }

  #reserve(buckets: number, dense: number): void {
    if (buckets > this.#buckets.length) {
      const grown = new Uint16Array(Math.max(buckets, this.#buckets.length * 2))
      grown.set(this.#buckets)
      this.#buckets = grown
    }
    if (dense > this.#dense.length) {
      const grown = new Float32Array(Math.max(dense, this.#dense.length * 2))
      grown.set(this.#dense)
      this.#dense = grown
    }
  }
}
