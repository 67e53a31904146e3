import { CharacterSet } from "../pattern/character-set.ts"
import { encoded } from "../pattern/encoded.ts"
import { characters, choice, literal, NOTHING, optional, sequence } from "../pattern/pattern.ts"
import { printPattern } from "../pattern/print-pattern.ts"
import type { Atom, Step } from "./atom.ts"

/** Where a field of a query, a form, a cookie, JSON or a header begins, and no quotation. */
const fieldStart = choice(
  characters(CharacterSet.of("=")),
  sequence(literal(":"), optional(literal(" ")), literal('"')),
)
const anyStart = characters(CharacterSet.of('=/"&?:;,'))
/** Without `&` and `;`, which end an HTML reference as often as a parameter. */
export const strictStart = characters(CharacterSet.of('=/":'))
/** Without `/`, which stands before most names of a path. */
export const slashlessStart = characters(CharacterSet.of('="&?:;,'))

/** How patterns begin that want the start of a value. */
export const VALUE_STARTS: readonly string[] = [
  `(?:${printPattern(fieldStart)})`,
  ...[anyStart, strictStart, slashlessStart].map(printPattern),
]

/** Where a field ends: at the next one, at the headers, or in a comment that the attack begins. */
export const fieldEnd = choice(
  literal("&"),
  sequence(literal('"'), characters(CharacterSet.of(",}]"))),
  literal('{"'),
  encoded(CharacterSet.of("#")),
)

/** How patterns end that want the end of a value. */
export const VALUE_END = `(?:${printPattern(fieldEnd)})`

export const fieldStarts: Step = { pattern: fieldStart, evidence: 1.5 }

/**
 * What stands before a value in a query, a form, JSON, a path or a header. Prose about an attack
 * quotes it in the middle of a sentence; an attack begins where its field begins.
 */
export const valueStart: Atom = {
  name: "value_start",
  ladder: [fieldStarts, { pattern: anyStart, evidence: 1 }],
  gap: NOTHING,
}
