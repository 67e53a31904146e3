import { Random } from "../random.ts"
import type { LabelledPayload } from "./labelled-payloads.ts"

/** Longer texts are left out of a sample: it then takes a bounded amount of memory and time. */
const SAMPLE_CHARS_MAX = 4_096

/** A uniform sample of the rows offered, attacks and benign ones apart; seeded (reservoir). */
export class RowSample {
  readonly attacks: LabelledPayload[] = []
  readonly benign: LabelledPayload[] = []
  readonly #rowsMax: number
  readonly #random: Random
  readonly #offered = { attacks: 0, benign: 0 }

  /** @param rowsMax of each of the two sides */
  constructor({ rowsMax, seed }: { readonly rowsMax: number; readonly seed: number }) {
    this.#rowsMax = rowsMax
    this.#random = new Random(seed)
  }

  offer(row: LabelledPayload): void {
    if (row.text.length > SAMPLE_CHARS_MAX) return
    const side = row.label === "benign" ? "benign" : "attacks"
    this.#offered[side] += 1
    const rows = this[side]
    if (rows.length < this.#rowsMax) {
      rows.push(row)
      return
    }
    const place = this.#random.below(this.#offered[side])
    if (place < this.#rowsMax) rows[place] = row
  }
}
