import { PAYLOAD_CLASSES } from "../../events.ts"
import type { LabelledPayload } from "../evaluation/labelled-payloads.ts"
import { Normalizer } from "../text/normalize.ts"
import { windowAt, windowCount } from "../text/windows.ts"

/** Windows of one text that training looks at; judging looks at all of them. */
export const TRAINING_WINDOWS_MAX = 32

/** The normalised bytes of many texts, cut into the windows that the linear tier judges by. */
export class ByteWindows {
  #bytes = new Uint8Array(1 << 12)
  /** Where each window begins; one more at the end. */
  readonly #starts: number[] = [0]
  /** Where the windows of each example begin; one more at the end. */
  readonly #exampleWindows: number[] = [0]
  /** Index into PAYLOAD_CLASSES of each example. */
  readonly labels: number[] = []
  readonly #normalizer: Normalizer

  /**
   * @param rows their texts; of each at most `windowsMax` windows are kept
   * @param normalizer a workspace that may be used again afterwards
   */
  constructor(
    rows: Iterable<LabelledPayload>,
    windowsMax = Number.POSITIVE_INFINITY,
    normalizer = new Normalizer(),
  ) {
    this.#normalizer = normalizer
    for (const row of rows) this.#addExample(row, windowsMax)
  }

  /** Number of examples. */
  get size(): number {
    return this.labels.length
  }

  windowsOf(example: number): { readonly from: number; readonly to: number } {
    return {
      from: this.#exampleWindows[example] ?? 0,
      to: this.#exampleWindows[example + 1] ?? 0,
    }
  }

  /** Bytes of a window, 0..WINDOW_BYTES. */
  lengthOf(window: number): number {
    return (this.#starts[window + 1] ?? 0) - (this.#starts[window] ?? 0)
  }

  /** A view, not a copy. */
  bytesOf(window: number): Uint8Array {
    return this.#bytes.subarray(this.#starts[window], this.#starts[window + 1])
  }

  #addExample({ text, label }: LabelledPayload, windowsMax: number): void {
    const { bytes, length } = this.#normalizer.normalize(text)
    const windows = Math.min(windowsMax, windowCount(length))
    for (let index = 0; index < windows; index++) {
      const { start, end } = windowAt(length, index)
      this.#addWindow(bytes.subarray(start, end))
    }
    this.#exampleWindows.push(this.#starts.length - 1)
    this.labels.push(PAYLOAD_CLASSES.indexOf(label))
  }

  #addWindow(window: Uint8Array): void {
    const start = this.#starts.at(-1) ?? 0
    const end = start + window.length
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, this.#bytes.length * 2))
      grown.set(this.#bytes)
      this.#bytes = grown
    }
    this.#bytes.set(window, start)
    this.#starts.push(end)
  }
}
