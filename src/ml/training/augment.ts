import type { LabelledPayload } from "../evaluation/labelled-payloads.ts"
import { encode } from "../generators/encodings.ts"
import { Random } from "../random.ts"

/** Share of collected rows that are learnt from a second time, encoded. */
const ENCODED_SHARE = 0.2
/** Texts of several collected benign rows, for each benign row. */
const PAGE_SHARE = 0.2
/** Attacks inside collected benign text, for each attack. */
const PADDED_SHARE = 0.35
/** How many of either are short: about one window, in which ordinary text and an attack meet. */
const SHORT_SHARE = 0.7
const SHORT_CHARS_MAX = 300
const LONG_CHARS_MAX = 4096
const PIECE_CHARS_MAX = 600
const SEED_OFFSET = 77_003

/**
 * Further rows made from collected ones, which says what collections lack: the same texts encoded
 * (attacks and benign ones alike, so that the encoding itself says nothing), pages of benign rows,
 * and attacks amid benign rows. Deterministic by the seed.
 */
export function augmentRows(
  rows: readonly LabelledPayload[],
  seed: number,
): readonly LabelledPayload[] {
  const random = new Random(seed + SEED_OFFSET)
  const benign = rows.filter(({ label }) => label === "benign")
  const further: LabelledPayload[] = []
  for (const row of rows) {
    if (random.chance(ENCODED_SHARE)) {
      const text = encode(random, row.text.slice(0, LONG_CHARS_MAX)).slice(0, 4 * LONG_CHARS_MAX)
      further.push({ ...row, text })
    }
    if (benign.length === 0) continue
    if (row.label !== "benign" && random.chance(PADDED_SHARE)) {
      further.push({ ...row, text: amid(random, benign, row.text) })
    }
    if (row.label === "benign" && random.chance(PAGE_SHARE)) {
      const { kind: _, ...unplaced } = row
      further.push({ ...unplaced, text: page(random, benign, pageLength(random)) })
    }
  }
  return further
}

function amid(random: Random, benign: readonly LabelledPayload[], attack: string): string {
  const padding = page(random, benign, pageLength(random))
  const at = random.below(padding.length + 1)
  const apart = random.pick(["", " ", " ", "\n", "&q="])
  return `${padding.slice(0, at)}${apart}${attack}${apart === "&q=" ? "&p=" : apart}${padding.slice(at)}`
}

function pageLength(random: Random): number {
  return random.chance(SHORT_SHARE)
    ? random.between(60, SHORT_CHARS_MAX)
    : random.between(SHORT_CHARS_MAX, LONG_CHARS_MAX)
}

/** Benign rows one after the other, cut to `length` characters. */
function page(random: Random, benign: readonly LabelledPayload[], length: number): string {
  let text = ""
  while (text.length < length) {
    text += `${random.pick(benign).text.slice(0, PIECE_CHARS_MAX)}${random.pick([" ", "\n", "&q="])}`
  }
  return text.slice(0, length)
}
