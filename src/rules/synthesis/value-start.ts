import { CharacterSet } from "../pattern/character-set.ts"
import { characters, NOTHING } from "../pattern/pattern.ts"
import { printPattern } from "../pattern/print-pattern.ts"
import type { Atom } from "./atom.ts"

const anyStart = characters(CharacterSet.of('=/"&?:;,'))
/** Without `&` and `;`, which end an HTML reference as often as a parameter. */
export const strictStart = characters(CharacterSet.of('=/":'))

/** How patterns begin that want the start of a value. */
export const VALUE_STARTS: readonly string[] = [anyStart, strictStart].map(printPattern)

/**
 * What stands before a value in a query, a form, JSON, a path or a header. Prose about an attack
 * quotes it in the middle of a sentence; an attack begins where its field begins.
 */
export const valueStart: Atom = {
  name: "value_start",
  ladder: [{ pattern: anyStart, evidence: 1 }],
  gap: NOTHING,
}
