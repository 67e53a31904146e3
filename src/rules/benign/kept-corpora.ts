import { type BenignCorpus, benignCorpus } from "./benign-corpus.ts"
import { BENIGN_LINES, generatedBenign, HELD_BACK_LINES } from "./generated-benign.ts"
import { labelledBenign } from "./labelled-benign.ts"
import { HELD_BACK_NEAR_MISSES, NEAR_MISSES, nearMisses } from "./near-misses.ts"

/**
 * What every rule is held against: the shipped texts, and the benign rows of the labelled files of a
 * directory where one is named. Reading them takes seconds.
 *
 * What cannot be read is thrown: a rule is not to be held against less than was asked for.
 */
export async function keptCorpora(directory: string | undefined): Promise<readonly BenignCorpus[]> {
  const own = [
    // few and telling, so they are asked first
    benignCorpus("near_misses", nearMisses(NEAR_MISSES)),
    benignCorpus("generated", generatedBenign(BENIGN_LINES)),
  ]
  if (directory === undefined) return own
  return [...own, benignCorpus("labelled", await labelledBenign(directory))]
}

/**
 * What a finished pattern is held against: of many candidates one meets no text of the others by
 * chance, as a model fits what it was trained with.
 */
export function heldBackCorpora(): readonly BenignCorpus[] {
  return [
    benignCorpus("held_back_near_misses", nearMisses(HELD_BACK_NEAR_MISSES)),
    benignCorpus("held_back_generated", generatedBenign(HELD_BACK_LINES)),
  ]
}
