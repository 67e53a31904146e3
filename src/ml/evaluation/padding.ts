import type { PayloadClassifier } from "../../ports.ts"
import { Random } from "../random.ts"
import { judge } from "./evaluate-payloads.ts"
import type { LabelledPayload } from "./labelled-payloads.ts"
import { type JudgedPayload, shareAbove, thresholdAt } from "./payload-report.ts"
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
  /** recallAtRate of each class of attack that there is. */
  readonly recallAtRateByClass: Readonly<Record<string, number>>
}

const CHARACTERS = 4_096
const RATE = 0.01
const TEXTS_MAX = 1_000
/** Longer attacks would themselves be most of the text. */
const ATTACK_CHARS_MAX = 1_024
/** Escapes and no blanks: a value as a form's body carries it. */
const FORM_ENCODED = /^(?!.*\s).*(?:%[0-9a-f]{2}|\+)/is

/**
 * Hides each attack at a seeded place among benign rows of the same set, up to 4 KB, and judges it
 * against 4 KB texts of such rows alone: rows of bodies, where there are any, and form-encoded
 * where the attack is. Undefined where there are no attacks or no benign rows.
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
  const chosen = drawn(attacks, random)
  const padded = chosen.map((row) => judge(pad(row, filler, random), classifier))
  const plain = Array.from({ length: TEXTS_MAX }, () => {
    const write = writerOf(random.pick(chosen))
    const text = fill(CHARACTERS, () => write(random.pick(filler)))
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
    recallAtRateByClass: recallByClass(padded, threshold),
  }
}

/** What fields of several KB hold is what bodies hold. */
function fillerOf(benign: readonly LabelledPayload[]): readonly string[] {
  const rows = benign.filter(({ text }) => text.trim() !== "")
  const bodies = rows.filter(({ kind }) => kind === "body")
  return (bodies.length === 0 ? rows : bodies).map(({ text }) => text)
}

function recallByClass(padded: readonly JudgedPayload[], threshold: number) {
  const byClass = Map.groupBy(padded, ({ label }) => label)
  const recalls = [...byClass].map(([name, rows]) => [name, shareAbove(rows, threshold) ?? 0])
  return Object.fromEntries(recalls) as Record<string, number>
}

function drawn(rows: readonly LabelledPayload[], random: Random): readonly LabelledPayload[] {
  if (rows.length <= TEXTS_MAX) return rows
  const order = Int32Array.from(rows.keys())
  random.shuffle(order)
  return [...order.subarray(0, TEXTS_MAX)].flatMap((index) => rows[index] ?? [])
}

function pad(row: LabelledPayload, filler: readonly string[], random: Random): LabelledPayload {
  const write = writerOf(row)
  const next = () => write(random.pick(filler))
  const blank = write("")
  const room = CHARACTERS - row.text.length - 2 * blank.length
  const before = random.below(room + 1)
  const text = `${fill(before, next)}${blank}${row.text}${blank}${fill(room - before, next)}`
  return { ...row, text, kind: "body" }
}

/**
 * Writes a benign row, and what sets it apart from the next, as the attack is written: a blank, or
 * for paths, which text around them would break, the start of another field.
 */
function writerOf({ text: attack, label }: LabelledPayload): (text: string) => string {
  const isPath = label === "path_traversal"
  if (!FORM_ENCODED.test(attack)) return (text) => `${text}${isPath ? "\n" : " "}`
  const apart = isPath ? "&f=" : "+"
  return (text) => `${encodeURIComponent(text.toWellFormed()).replaceAll("%20", "+")}${apart}`
}

/** What `next` gives, one after another, cut to exactly so many characters. */
function fill(characters: number, next: () => string): string {
  let text = ""
  while (text.length < characters) text += next()
  return text.slice(0, characters)
}
