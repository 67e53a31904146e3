import { PAYLOAD_CLASSES } from "../../events.ts"
import type { LabelledPayload } from "../evaluation/labelled-payloads.ts"
import type { SparseRow } from "../models/linear-softmax.ts"
import { DENSE_COUNT } from "../text/dense-features.ts"
import { Normalizer } from "../text/normalize.ts"
import { PayloadFeatures } from "../text/payload-features.ts"
import { windowAt, windowCount } from "../text/windows.ts"

/** Windows of one text that training looks at: those of its first 4 KB, which a row seldom exceeds. */
const WINDOWS_MAX = 208

/** Buckets of one page: a megabyte and more, so that a page costs nothing beside what it holds. */
const PAGE_BITS = 20
const PAGE_BUCKETS = 1 << PAGE_BITS
const PAGE_WINDOWS = 8_192

/** Windows one after the other. A page never grows: nothing is copied when there are more of them. */
interface Page {
  readonly firstWindow: number
  readonly buckets: Uint16Array
  /** [PAGE_WINDOWS x DENSE_COUNT] */
  readonly dense: Float32Array
}

/** Featurised examples in flat pages; each has one or more windows. */
export class ExampleSet {
  readonly #pages: Page[] = []
  /** Where the buckets of each window begin, counted over all pages, and how many they are. */
  readonly #windowStarts: number[] = []
  readonly #windowSizes: number[] = []
  #end = 0
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
    this.#exampleWindows.push(this.#windowStarts.length)
    this.labels.push(PAYLOAD_CLASSES.indexOf(label))
  }

  /** The first window of an example, and the end of its windows. */
  windowsOf(example: number): { readonly from: number; readonly to: number } {
    return {
      from: this.#exampleWindows[example] ?? 0,
      to: this.#exampleWindows[example + 1] ?? 0,
    }
  }

  /** @throws RangeError where there is no such window */
  row(window: number): SparseRow {
    const start = this.#windowStarts[window] ?? 0
    const page = this.#pages[start >>> PAGE_BITS]
    if (page === undefined) throw new RangeError("row: no such window")
    const bucketsFrom = start & (PAGE_BUCKETS - 1)
    return {
      buckets: page.buckets,
      bucketsFrom,
      bucketsTo: bucketsFrom + (this.#windowSizes[window] ?? 0),
      dense: page.dense,
      denseFrom: (window - page.firstWindow) * DENSE_COUNT,
    }
  }

  #addWindow(): void {
    const { buckets, bucketCount, dense } = this.#features
    const window = this.#windowStarts.length
    const page = this.#pageFor(window, bucketCount)
    const start = this.#end & (PAGE_BUCKETS - 1)
    // by hand: a view of what is in use, for `set`, costs more than to copy it
    for (let i = 0; i < bucketCount; i++) page.buckets[start + i] = buckets[i] as number
    page.dense.set(dense.values, (window - page.firstWindow) * DENSE_COUNT)
    this.#windowStarts.push(this.#end)
    this.#windowSizes.push(bucketCount)
    this.#end += bucketCount
  }

  /** The last page, or the next one where that has no room. */
  #pageFor(window: number, bucketCount: number): Page {
    const last = this.#pages.at(-1)
    const left = this.#pages.length * PAGE_BUCKETS - this.#end
    if (last !== undefined && bucketCount < left && window < last.firstWindow + PAGE_WINDOWS) {
      return last
    }
    this.#end = this.#pages.length * PAGE_BUCKETS
    const page = {
      firstWindow: window,
      buckets: new Uint16Array(PAGE_BUCKETS),
      dense: new Float32Array(PAGE_WINDOWS * DENSE_COUNT),
    }
    this.#pages.push(page)
    return page
  }
}
