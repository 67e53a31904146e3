import { mutate } from "../ml/adversary/mutations.ts"
import { Random } from "../ml/random.ts"
import type { SimulatedClass } from "../twin-protocol.ts"

/** Says whether a text still has the effect that was proven; asked of the sandbox. */
export type Works = (text: string) => Promise<boolean>

export interface RelativesOptions {
  readonly class: SimulatedClass
  readonly works: Works
  /** Other seeds give other relatives: those that test a rule must not be those that made it. */
  readonly seed: number
  readonly count: number
  /** Texts that are tried. */
  readonly attemptsMax: number
  /** Left out of the answer. */
  readonly known?: ReadonlySet<string>
  readonly signal?: AbortSignal
}

/** Mutations that lie between an exploit and a relative of it. */
const STEPS_MAX = 4
const CHARACTERS_MAX = 2_000
/** Twins that are asked side by side; texts are always found in the same order. */
const TRIED_AT_ONCE = 4

/**
 * Rewritings of an exploit that still work: other cases, comments, blanks, encodings, operators and
 * tautologies, up to four changes deep. Each was seen to work.
 */
export async function findRelatives(
  exploit: string,
  options: RelativesOptions,
): Promise<readonly string[]> {
  const random = new Random(options.seed)
  const tried = new Set([exploit, ...(options.known ?? [])])
  const relatives: string[] = []
  for (let attempt = 0; attempt < options.attemptsMax; attempt += TRIED_AT_ONCE) {
    if (relatives.length >= options.count || options.signal?.aborted === true) break
    const texts = Array.from({ length: TRIED_AT_ONCE }, () =>
      rewrite(random, options.class, exploit),
    )
    const fresh = [...new Set(texts)].filter(
      (text) => !tried.has(text) && text.length <= CHARACTERS_MAX,
    )
    for (const text of fresh) tried.add(text)
    const works = await Promise.all(fresh.map(options.works))
    relatives.push(...fresh.filter((_, index) => works[index] === true))
  }
  return relatives.slice(0, options.count)
}

function rewrite(random: Random, label: SimulatedClass, exploit: string): string {
  let text = exploit
  const steps = random.between(1, STEPS_MAX)
  for (let step = 0; step < steps; step++) text = mutate(random, label, text)
  return text
}
