import { CharacterSet } from "../pattern/character-set.ts"
import { characters, NOTHING } from "../pattern/pattern.ts"
import type { Atom } from "./atom.ts"

/**
 * What stands before a value in a query, a form, JSON, a path or a header. Prose about an attack
 * quotes it in the middle of a sentence; an attack begins where its field begins.
 */
export const valueStart: Atom = {
  name: "value_start",
  ladder: [{ pattern: characters(CharacterSet.of('=/"&?:;,')), evidence: 1 }],
  gap: NOTHING,
}
