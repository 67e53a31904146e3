import { CharacterSet } from "../pattern/character-set.ts"
import { encoded } from "../pattern/encoded.ts"
import { choice, literal, type Pattern, sequence } from "../pattern/pattern.ts"
import type { Reading } from "./atom.ts"
import { valueStart } from "./value-start.ts"

/** A text as rare as this many characters of it stand for; at most what the surest token is worth. */
const EVIDENCE_PER_CHARACTER = 0.5
const EVIDENCE_MAX = 6
const CHARACTERS_MAX = 120

/** What a JSON string writes otherwise than as it is. */
const JSON_FORMS: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'],
  ["\\", "\\\\"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
  ["\b", "\\b"],
  ["\f", "\\f"],
])

/**
 * Reads an attack as the text that it is, for one whose tokens say too little or stand in benign
 * text as well: its longest stretch of ASCII, each character as it stands or encoded.
 */
export function readVerbatim(payload: string): Reading {
  const stretches = payload.match(/[ -~\t\n\r\f]+/g) ?? []
  const [longest = ""] = stretches.toSorted((one, other) => other.length - one.length)
  const text = longest.trim().slice(0, CHARACTERS_MAX)
  if (text === "") return { atoms: [], limits: [] }
  const evidence = Math.min(EVIDENCE_MAX, EVIDENCE_PER_CHARACTER * text.length)
  const pattern = sequence(...Array.from(text, inAnyForm))
  const atom = { name: "text", ladder: [{ pattern, evidence }], gap: sequence() }
  return { atoms: [valueStart, atom], limits: ["any other spelling of it"] }
}

function inAnyForm(character: string): Pattern {
  const forms = CharacterSet.of(character === " " ? " +" : character)
  const inJson = JSON_FORMS.get(character)
  return inJson === undefined ? encoded(forms) : choice(encoded(forms), literal(inJson))
}
