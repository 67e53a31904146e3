import type { SimulatedClass } from "../twin-protocol.ts"
import type { BenignCorpus } from "./benign/benign-corpus.ts"
import { inspectedText, sendingsOf } from "./sendings.ts"
import type { Reading } from "./synthesis/atom.ts"
import { readPath } from "./synthesis/path-reading.ts"
import { readScript } from "./synthesis/script-reading.ts"
import { readShell } from "./synthesis/shell-reading.ts"
import { readSql } from "./synthesis/sql-reading.ts"
import { type SynthesisedPattern, synthesise } from "./synthesis/synthesise.ts"
import { readVerbatim } from "./synthesis/verbatim-reading.ts"

const READERS: Readonly<Record<SimulatedClass, (payload: string) => Reading>> = {
  sql_injection: readSql,
  xss: readScript,
  command_injection: readShell,
  path_traversal: readPath,
}

/** What a pattern is made from; plain data, so that it can be made in another thread. */
export interface PatternTask {
  readonly class: SimulatedClass
  readonly payload: string
  /** The shortest form of it that still worked, where one is known. */
  readonly minimised: string | undefined
  readonly location: string
  /** Working relatives to cover, and others to measure the cover with. */
  readonly relatives: readonly string[]
  readonly heldOut: readonly string[]
}

export interface MadePattern {
  readonly pattern: string
  readonly tokens: readonly (readonly string[])[]
  readonly matched: number
  readonly heldOutMatched: number
  readonly limits: readonly string[]
}

/** What no pattern may meet. */
export interface BenignTexts {
  /** Every candidate is held against these. */
  readonly searched: readonly BenignCorpus[]
  /** The finished pattern is held against these; what it meets there counts from then on. */
  readonly heldBack?: readonly BenignCorpus[]
}

/** Finished patterns that may meet what was held back, before another reading is tried. */
const ROUNDS_MAX = 4

/**
 * The most general safe pattern for an exploit that no benign corpus meets.
 *
 * Reads the minimised payload first, for it holds nothing beside the attack, then the payload; of
 * both the pattern that matches more of the relatives that it was made from.
 * @returns undefined where every candidate meets benign text
 */
export function makePattern(task: PatternTask, benign: BenignTexts): MadePattern | undefined {
  const sent = (text: string) => sendingsOf(text, task.location).map(inspectedText)
  const matchedOf = (regex: RegExp, texts: readonly string[]) =>
    texts.filter((relative) => sent(relative).every((form) => regex.test(form))).length
  const check = new BenignCheck(benign)
  const variants = [task.payload, ...task.relatives].flatMap(sent)
  let best: MadePattern | undefined
  for (const reading of readingsOf(task)) {
    const made = check.synthesise(reading, { exploits: sent(task.payload), variants })
    if (made === undefined) continue
    const regex = new RegExp(made.pattern, "u")
    const matched = matchedOf(regex, task.relatives)
    if (best !== undefined && best.matched >= matched) continue
    const heldOutMatched = matchedOf(regex, task.heldOut)
    const { pattern, tokens } = made
    best = { pattern, tokens, matched, heldOutMatched, limits: reading.limits }
    if (matched === task.relatives.length) break
  }
  return best
}

/** What is known of the patterns for one exploit and benign texts. */
class BenignCheck {
  readonly #benign: BenignTexts
  /** By pattern, whether it meets a text that was searched, and its rare parts. */
  readonly #known = new Map<
    string,
    { readonly meets: boolean; readonly parts: readonly string[] }
  >()
  /** Texts of those held back that a finished pattern has met. */
  readonly #learnt: string[] = []

  constructor(benign: BenignTexts) {
    this.#benign = benign
  }

  /** Anew while the finished pattern meets what was held back. */
  synthesise(
    reading: Reading,
    sent: { readonly exploits: readonly string[]; readonly variants: readonly string[] },
  ): SynthesisedPattern | undefined {
    const meetsBenign = (pattern: string, parts: readonly string[]) => this.#meets(pattern, parts)
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const made = synthesise(reading, { ...sent, meetsBenign })
      if (made === undefined || !this.#learnsFrom(made.alternatives)) return made
    }
    return undefined
  }

  #meets(pattern: string, parts: readonly string[]): boolean {
    const regex = new RegExp(pattern, "u")
    if (this.#learnt.some((text) => regex.test(text))) return true
    const known = this.#known.get(pattern)
    if (known !== undefined) return known.meets
    const meets = this.#benign.searched.some((corpus) => corpus.meets(regex, parts))
    this.#known.set(pattern, { meets, parts })
    return meets
  }

  #learnsFrom(alternatives: readonly string[]): boolean {
    const { heldBack = [] } = this.#benign
    const met = alternatives.flatMap((pattern) => {
      const regex = new RegExp(pattern, "u")
      return heldBack.flatMap((corpus) => corpus.met(regex, this.#known.get(pattern)?.parts))
    })
    this.#learnt.push(...met)
    return met.length > 0
  }
}

/**
 * The minimised payload first, for it holds nothing beside the attack; what an application may
 * decode is read as what comes out too, for patterns take both.
 */
function* readingsOf({ class: label, minimised, payload }: PatternTask): Generator<Reading> {
  const texts = [...(minimised === undefined ? [] : [minimised]), payload]
  for (const text of new Set([...texts, ...texts.map(decodedAscii)])) yield READERS[label](text)
  yield readVerbatim(payload)
}

/** What an application may read: percent-decoded twice, and plus signs as blanks where there are none. */
export function decodedAscii(text: string): string {
  const decoded = decodeOnce(decodeOnce(text))
  return decoded.includes(" ") ? decoded : decoded.replaceAll("+", " ")
}

function decodeOnce(text: string): string {
  return text.replace(/%([2-7][0-9a-f])/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
}
