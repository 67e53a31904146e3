import type { PayloadKind } from "../../events.ts"
import { PAYLOAD_KINDS } from "../../events.ts"
import type { ByteText } from "./byte-text.ts"
import { CHARACTER_CLASS, DIGIT, HIGH, LOWER, PUNCTUATION, SPACE } from "./characters.ts"
import { WORD_FAMILY_NAMES } from "./lexicon.ts"
import type { Undone } from "./undone.ts"

/** Characters whose number matters, by name. */
const COUNTED = {
  singleQuote: "'",
  doubleQuote: '"',
  backtick: "`",
  openParenthesis: "(",
  closeParenthesis: ")",
  lessThan: "<",
  greaterThan: ">",
  semicolon: ";",
  pipe: "|",
  ampersand: "&",
  dollar: "$",
  backslash: "\\",
  slash: "/",
  equals: "=",
  hash: "#",
  percent: "%",
  brace: "{",
  comma: ",",
  colon: ":",
  newline: "\n",
} as const

const RATIOS = ["letterRatio", "digitRatio", "spaceRatio", "punctuationRatio", "highRatio"] as const
const SHAPES = [
  "length",
  "oddSingleQuotes",
  "oddDoubleQuotes",
  "parenthesisImbalance",
  "dotDot",
  "dashDash",
  "tautology",
  "commandAfterSeparator",
  "handlerAssignment",
  "tagOpened",
] as const
const UNDONE = [
  "percent",
  "rounds",
  "percentU",
  "entity",
  "backslash",
  "overlong",
  "fullWidth",
  "nul",
  "comment",
  "shell",
  "concatenation",
  "blob",
  "upper",
] as const satisfies readonly (keyof Undone)[]

/** The dense features in their order; all lie in 0..1. */
export const DENSE_NAMES: readonly string[] = [
  ...Object.keys(COUNTED).map((name) => `count.${name}`),
  ...RATIOS,
  ...SHAPES,
  ...WORD_FAMILY_NAMES.map((name) => `words.${name}`),
  ...UNDONE.map((name) => `undone.${name}`),
  ...PAYLOAD_KINDS.map((name) => `kind.${name}`),
]
export const DENSE_COUNT: number = DENSE_NAMES.length

const DOT = 0x2e
const DASH = 0x2d
/** Byte -> position in COUNTED; one past the end for all others. */
const COUNTED_INDEX = countedIndex()
/** Byte -> position in RATIOS; one past the end for control characters. */
const RATIO_INDEX = Uint8Array.from(CHARACTER_CLASS, ratioOf)
const COUNTED_AT = Object.fromEntries(
  Object.keys(COUNTED).map((name, index) => [name, index]),
) as Readonly<Record<keyof typeof COUNTED, number>>
const RATIO_AT = Object.keys(COUNTED).length
const SHAPE_AT = RATIO_AT + RATIOS.length
const SHAPE = Object.fromEntries(SHAPES.map((name, index) => [name, SHAPE_AT + index])) as Readonly<
  Record<(typeof SHAPES)[number], number>
>
const FAMILY_AT = SHAPE_AT + SHAPES.length
const UNDONE_AT = FAMILY_AT + WORD_FAMILY_NAMES.length
const KIND_AT = UNDONE_AT + UNDONE.length

/** What the word scan of a window found. */
export interface WordFindings {
  /** Words by family, in the order of WORD_FAMILY_NAMES. */
  readonly families: Uint16Array
  tautology: number
  commandAfterSeparator: number
  handlerAssignment: number
  tagOpened: number
}

export interface DenseContext {
  readonly start: number
  readonly end: number
  readonly undone: Undone
  readonly kind: PayloadKind | undefined
}

/** Computes the dense features of a window; holds the counters that it needs for it. */
export class DenseFeatures {
  readonly values: Float32Array = new Float32Array(DENSE_COUNT)
  readonly #counts = new Uint16Array(RATIO_AT + 1)
  readonly #classes = new Uint16Array(RATIOS.length + 1)

  compute(text: ByteText, context: DenseContext, findings: WordFindings): void {
    this.values.fill(0)
    this.#scan(text, context)
    this.#fillShapes(findings)
    this.#fillUndone(context.undone, text.length)
    const kind = context.kind === undefined ? -1 : PAYLOAD_KINDS.indexOf(context.kind)
    if (kind >= 0) this.values[KIND_AT + kind] = 1
  }

  #scan(text: ByteText, { start, end }: DenseContext): void {
    const counts = this.#counts.fill(0)
    const classes = this.#classes.fill(0)
    for (let index = start; index < end; index++) {
      const byte = text.bytes[index] ?? 0
      const counted = COUNTED_INDEX[byte] ?? 0
      counts[counted] = (counts[counted] ?? 0) + 1
      const ratio = RATIO_INDEX[byte] ?? 0
      classes[ratio] = (classes[ratio] ?? 0) + 1
    }
    const length = end - start
    for (let i = 0; i < RATIO_AT; i++) this.values[i] = saturate(counts[i] ?? 0)
    for (let i = 0; i < RATIOS.length; i++) {
      this.values[RATIO_AT + i] = (classes[i] ?? 0) / Math.max(1, length)
    }
    this.values[SHAPE.length] = Math.min(1, Math.log2(length + 1) / 8)
    this.values[SHAPE.dotDot] = saturate(countDoubled(text, { start, end, byte: DOT }))
    this.values[SHAPE.dashDash] = saturate(countDoubled(text, { start, end, byte: DASH }))
  }

  #fillShapes(findings: WordFindings): void {
    const { values } = this
    values[SHAPE.oddSingleQuotes] = this.#count("singleQuote") % 2
    values[SHAPE.oddDoubleQuotes] = this.#count("doubleQuote") % 2
    values[SHAPE.parenthesisImbalance] = saturate(
      Math.abs(this.#count("openParenthesis") - this.#count("closeParenthesis")),
    )
    values[SHAPE.tautology] = saturate(findings.tautology)
    values[SHAPE.commandAfterSeparator] = saturate(findings.commandAfterSeparator)
    values[SHAPE.handlerAssignment] = saturate(findings.handlerAssignment)
    values[SHAPE.tagOpened] = saturate(findings.tagOpened)
    for (let i = 0; i < findings.families.length; i++) {
      values[FAMILY_AT + i] = saturate(findings.families[i] ?? 0)
    }
  }

  #count(name: keyof typeof COUNTED): number {
    return this.#counts[COUNTED_AT[name]] ?? 0
  }

  #fillUndone(undone: Undone, length: number): void {
    for (let i = 0; i < UNDONE.length; i++) {
      const name = UNDONE[i]
      if (name === undefined) continue
      const count = undone[name]
      // Rates, not counts, where ordinary text has them too: long encoded text is not evasion.
      const rate = name === "percent" || name === "upper" ? count / Math.max(1, length) : undefined
      this.values[UNDONE_AT + i] = rate === undefined ? saturate(count) : Math.min(1, rate)
    }
  }
}

/** How often `byte` follows itself. */
function countDoubled(
  text: ByteText,
  { start, end, byte }: { start: number; end: number; byte: number },
): number {
  let count = 0
  let previous = 0
  for (let index = start; index < end; index++) {
    const current = text.bytes[index] ?? 0
    if (current === byte && previous === byte) count += 1
    previous = current
  }
  return count
}

/** 0, 1/2, 2/3, 3/4, ...: the first occurrence tells most. */
function saturate(count: number): number {
  return count / (count + 1)
}

function countedIndex(): Uint8Array {
  const table = new Uint8Array(256).fill(Object.keys(COUNTED).length)
  for (const [index, character] of Object.values(COUNTED).entries()) {
    table[character.charCodeAt(0)] = index
  }
  return table
}

function ratioOf(kind: number): number {
  if ((kind & LOWER) !== 0) return 0
  if ((kind & DIGIT) !== 0) return 1
  if ((kind & SPACE) !== 0) return 2
  if ((kind & PUNCTUATION) !== 0) return 3
  return (kind & HIGH) !== 0 ? 4 : RATIOS.length
}
