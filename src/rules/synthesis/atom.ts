import type { Pattern } from "../pattern/pattern.ts"

/** A way to write a token. */
export interface Step {
  readonly pattern: Pattern
  /**
   * How much the token, written thus, says for an attack: about the bits by which it is rarer in
   * ordinary requests, 0..6, judged by hand; docs/RULES.md has the table.
   */
  readonly evidence: number
  /** A part that every match of it holds, and that is found faster. */
  readonly core?: Pattern
  /** It matches at most places of a text, so that a search begins better behind it. */
  readonly isLong?: boolean
  /** It takes in what stands around the token, so that no gap belongs beside it. */
  readonly takesGaps?: boolean
}

/** One token of an attack, with the ways to write it from the most specific to the most general. */
export interface Atom {
  /** For people: what kind of token it is, e.g. `keyword`, `operand`. */
  readonly name: string
  /** Not empty; the first is the token as it stands, the last the most general. */
  readonly ladder: readonly Step[]
  /** What may stand between the token before and this one. */
  readonly gap: Pattern
}

/** An attack read in the language that it attacks. */
export interface Reading {
  readonly atoms: readonly Atom[]
  /** Attacks of the same language in forms that this one has not, and its relatives may have. */
  readonly others?: readonly (readonly Atom[])[]
  /** For people: what a rule made from it does not cover. */
  readonly limits: readonly string[]
}
