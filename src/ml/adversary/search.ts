import type { PayloadClassifier } from "../../ports.ts"
import type { LabelledPayload } from "../evaluation/labelled-payloads.ts"
import { Random } from "../random.ts"
import { type EffectCheck, effectCheck } from "./effect.ts"
import { mutate } from "./mutations.ts"

/** What a search against one attack came to. */
export interface SearchResult {
  /** A text with the attack's effect that the classifier calls benign; undefined = none found. */
  readonly evasion: string | undefined
  /** How often the classifier was asked. */
  readonly queries: number
}

export interface SearchOptions {
  readonly classifier: PayloadClassifier
  readonly seed: number
  /** Questions that may be put to the classifier, at least 1. */
  readonly budget: number
}

/** Best candidates that are kept to go on from. */
const POOL_MAX = 32
/** Mutations of one step: mostly few, so that the effect survives. */
const STEPS_MAX = 4
/** Candidates drawn for each question of the budget: those without the effect cost no question. */
const DRAWS_PER_QUERY = 20

interface Candidate {
  readonly text: string
  /** P(attack) */
  readonly score: number
}

/**
 * Looks for a spelling of the attack that the classifier calls benign: guided by its probability,
 * a pool of the best candidates is mutated on and on. Deterministic for a seed.
 *
 * @returns undefined where the effect of this attack cannot be checked
 * @see Demetrio, Valenza, Costa, Lagorio: "WAF-A-MoLE", SAC 2020, algorithm 1
 */
export function searchEvasion(
  attack: LabelledPayload,
  options: SearchOptions,
): SearchResult | undefined {
  const works = effectCheck(attack.label, attack.text)
  return works === undefined ? undefined : new Search(attack, works, options).run()
}

class Search {
  readonly #attack: LabelledPayload
  readonly #works: EffectCheck
  readonly #options: SearchOptions
  readonly #random: Random
  readonly #seen = new Set<string>()
  readonly #pool: Candidate[] = []
  #queries = 0

  constructor(attack: LabelledPayload, works: EffectCheck, options: SearchOptions) {
    this.#attack = attack
    this.#works = works
    this.#options = options
    this.#random = new Random(options.seed)
  }

  run(): SearchResult {
    const { budget } = this.#options
    let evasion = this.#ask(this.#attack.text)
    for (let draw = 0; draw < budget * DRAWS_PER_QUERY; draw++) {
      if (evasion !== undefined || this.#queries >= budget) break
      const candidate = this.#draw()
      if (this.#seen.has(candidate) || !this.#works(candidate)) continue
      evasion = this.#ask(candidate)
    }
    return { evasion, queries: this.#queries }
  }

  /** The better a candidate of the pool is, the likelier it is gone on from. */
  #draw(): string {
    const best = Math.floor(this.#random.next() ** 2 * this.#pool.length)
    let text = this.#pool[best]?.text ?? this.#attack.text
    const steps = this.#random.between(1, STEPS_MAX)
    for (let step = 0; step < steps; step++) {
      text = mutate(this.#random, this.#attack.label, text)
    }
    return text
  }

  /** The text itself where the classifier lets it pass; else it joins the pool. */
  #ask(text: string): string | undefined {
    const { kind } = this.#attack
    this.#queries += 1
    this.#seen.add(text)
    const answer = this.#options.classifier.classify({ text, ...(kind && { kind }) })
    if (answer.class === "benign") return text
    this.#keep({ text, score: 1 - (answer.probabilities.benign ?? 0) })
    return undefined
  }

  #keep(candidate: Candidate): void {
    const worse = this.#pool.findIndex(({ score }) => score > candidate.score)
    this.#pool.splice(worse < 0 ? this.#pool.length : worse, 0, candidate)
    if (this.#pool.length > POOL_MAX) this.#pool.pop()
  }
}
