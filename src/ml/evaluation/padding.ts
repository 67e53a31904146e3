import type { PayloadClassifier } from "../../ports.ts"
import { Random } from "../generators/random.ts"
import { judge } from "./evaluate-payloads.ts"
import type { LabelledPayload } from "./labelled-payloads.ts"
import { shareAbove, thresholdAt } from "./payload-report.ts"
import type { RowSample } from "./row-sample.ts"

/** How well attacks are found that hide in much benign text. */
export interface PaddingReport {
  readonly characters: number
  readonly attacks: number
  readonly benign: number
  /** Share of benign texts of that length allowed to be exceeded by none: 0.01. */
  readonly rate: number
  /** Share of padded attacks above the score that this share of equally long benign texts exceeds. */
  readonly recallAtRate: number
  /** Share called an attack by the predicted class. */
  readonly recall: number
  readonly fpr: number
}

const CHARACTERS = 4_096
const RATE = 0.01
const TEXTS_MAX = 1_000
/** Longer attacks would themselves be most of the text. */
const ATTACK_CHARS_MAX = 1_024
const SEPARATOR = " "

/**
 * Hides each attack at a seeded place among benign rows of the same set, up to 4 KB, and judges it
 * against 4 KB texts of such rows alone: rows of bodies, where there are any. Undefined where there are no attacks or no benign rows.
 */
export function measurePadding(
  sample: RowSample,
  classifier: PayloadClassifier,
  seed: number,
): PaddingReport | undefined {
  const attacks = sample.attacks.filter(({ text }) => text.length <= ATTACK_CHARS_MAX)
  const filler = fillerOf(sample.benign)
  if (attacks.length === 0 || filler.length === 0) return undefined
  const random = new Random(seed)
  const padded = drawn(attacks, random).map((row) => judge(pad(row, filler, random), classifier))
  const plain = Array.from({ length: TEXTS_MAX }, () => {
    const text = fill(filler, CHARACTERS, random)
    return judge({ text, label: "benign", source: "padding", kind: "body" }, classifier)
  })
  const threshold = thresholdAt(
    plain.map(({ attackProbability }) => attackProbability),
    RATE,
  )
  return {
    characters: CHARACTERS,
    attacks: padded.length,
    benign: plain.length,
    rate: RATE,
    recallAtRate: shareAbove(padded, threshold) ?? 0,
    recall: padded.filter(({ predicted }) => predicted !== "benign").length / padded.length,
    fpr: plain.filter(({ predicted }) => predicted !== "benign").length / plain.length,
  }
}

/** What fields of several KB hold is what bodies hold. */
function fillerOf(benign: readonly LabelledPayload[]): readonly string[] {
  const rows = benign.filter(({ text }) => text.trim() !== "")
  const bodies = rows.filter(({ kind }) => kind === "body")
  return (bodies.length === 0 ? rows : bodies).map(({ text }) => text)
}

function drawn(rows: readonly LabelledPayload[], random: Random): readonly LabelledPayload[] {
  if (rows.length <= TEXTS_MAX) return rows
  const order = Int32Array.from(rows.keys())
  random.shuffle(order)
  return [...order.subarray(0, TEXTS_MAX)].flatMap((index) => rows[index] ?? [])
}

function pad(row: LabelledPayload, filler: readonly string[], random: Random): LabelledPayload {
  const room = CHARACTERS - row.text.length - 2 * SEPARATOR.length
  const before = random.below(room + 1)
  const text = [fill(filler, before, random), row.text, fill(filler, room - before, random)].join(
    SEPARATOR,
  )
  return { ...row, text, kind: "body" }
}

/** Benign rows one after another, cut to exactly so many characters. */
function fill(filler: readonly string[], characters: number, random: Random): string {
  let text = ""
  while (text.length < characters) text += `${random.pick(filler)}${SEPARATOR}`
  return text.slice(0, characters)
}
