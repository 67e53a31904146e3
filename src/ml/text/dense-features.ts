import type { PayloadKind } from "../../events.ts"
import { PAYLOAD_KINDS } from "../../events.ts"
import type { ByteText } from "./byte-text.ts"
import { CHARACTER_CLASS, DIGIT, LOWER, PUNCTUATION, SPACE } from "./characters.ts"
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
/** Several numbers in one: none is above 160, the bytes of a window. */
const LANE_BITS = 8
const LANE = 0xff
const COUNTED_BYTES = Uint8Array.from(Object.values(COUNTED), (character) =>
  character.charCodeAt(0),
)
/** What a byte adds to the number of bytes of its kind: letters, digits, blanks, punctuation. */
const KIND_UNIT = Int32Array.from(CHARACTER_CLASS, kindUnit)
/** What a byte adds where it follows itself: dots below, dashes above. */
const DOUBLED_UNIT = Uint16Array.from(CHARACTER_CLASS, (_kind, byte) =>
  byte === DOT ? 1 : byte === DASH ? 1 << LANE_BITS : 0,
)
const RATIO_AT = Object.keys(COUNTED).length
const HIGH_RATIO = RATIOS.indexOf("highRatio")
const SHAPE_AT = RATIO_AT + RATIOS.length
const SHAPE = positions(SHAPES, SHAPE_AT)
const FAMILY_AT = SHAPE_AT + SHAPES.length
const UNDONE_AT = FAMILY_AT + WORD_FAMILY_NAMES.length
const UNDONE_FEATURE = positions(UNDONE, UNDONE_AT)
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
  /** How often each byte stands in the window. */
  readonly #counts = new Uint16Array(256)

  compute(text: ByteText, context: DenseContext, findings: WordFindings): void {
    this.values.fill(0)
    this.#scan(text, context)
    this.#fillShapes(findings)
    this.#fillUndone(context.undone, text.length)
    const kind = context.kind === undefined ? -1 : PAYLOAD_KINDS.indexOf(context.kind)
    if (kind >= 0) this.values[KIND_AT + kind] = 1
  }

  #scan(text: ByteText, { start, end }: DenseContext): void {
    const { bytes } = text
    const counts = this.#counts.fill(0)
    let kinds = 0
    let high = 0
    let doubled = 0
    let previous = 0
    for (let index = start; index < end; index++) {
      const byte = bytes[index] as number
      counts[byte] = (counts[byte] as number) + 1
      kinds = (kinds + (KIND_UNIT[byte] as number)) | 0
      high += byte >>> 7
      // all bits where the byte follows itself
      doubled += (DOUBLED_UNIT[byte] as number) & (((byte ^ previous) - 1) >> 31)
      previous = byte
    }
    const { values } = this
    const length = end - start
    for (let i = 0; i < RATIO_AT; i++) {
      values[i] = saturate(counts[COUNTED_BYTES[i] as number] as number)
    }
    const bytesAtLeast1 = Math.max(1, length)
    for (let i = 0; i < HIGH_RATIO; i++) {
      values[RATIO_AT + i] = ((kinds >>> (i * LANE_BITS)) & LANE) / bytesAtLeast1
    }
    values[RATIO_AT + HIGH_RATIO] = high / bytesAtLeast1
    values[SHAPE.length] = Math.min(1, Math.log2(length + 1) / 8)
    values[SHAPE.dotDot] = saturate(doubled & LANE)
    values[SHAPE.dashDash] = saturate(doubled >>> LANE_BITS)
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
    return this.#counts[COUNTED[name].charCodeAt(0)] ?? 0
  }

  /** By hand: to read a property by a name that varies costs five times as much. */
  #fillUndone(undone: Undone, length: number): void {
    const { values } = this
    // Rates, not counts, where ordinary text has them too: long encoded text is not evasion.
    values[UNDONE_FEATURE.percent] = Math.min(1, undone.percent / Math.max(1, length))
    values[UNDONE_FEATURE.upper] = Math.min(1, undone.upper / Math.max(1, length))
    values[UNDONE_FEATURE.rounds] = saturate(undone.rounds)
    values[UNDONE_FEATURE.percentU] = saturate(undone.percentU)
    values[UNDONE_FEATURE.entity] = saturate(undone.entity)
    values[UNDONE_FEATURE.backslash] = saturate(undone.backslash)
    values[UNDONE_FEATURE.overlong] = saturate(undone.overlong)
    values[UNDONE_FEATURE.fullWidth] = saturate(undone.fullWidth)
    values[UNDONE_FEATURE.nul] = saturate(undone.nul)
    values[UNDONE_FEATURE.comment] = saturate(undone.comment)
    values[UNDONE_FEATURE.shell] = saturate(undone.shell)
    values[UNDONE_FEATURE.concatenation] = saturate(undone.concatenation)
    values[UNDONE_FEATURE.blob] = saturate(undone.blob)
  }
}

/** 0, 1/2, 2/3, 3/4, ...: the first occurrence tells most. */
function saturate(count: number): number {
  return count / (count + 1)
}

/** The position of each name among all features. */
function positions<Name extends string>(
  names: readonly Name[],
  first: number,
): Readonly<Record<Name, number>> {
  const entries = names.map((name, index) => [name, first + index])
  return Object.fromEntries(entries) as Record<Name, number>
}

function kindUnit(kind: number): number {
  const lane = [LOWER, DIGIT, SPACE, PUNCTUATION].findIndex((bit) => (kind & bit) !== 0)
  return lane < 0 ? 0 : 2 ** (lane * LANE_BITS)
}
