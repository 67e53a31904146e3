import { type BenignCorpus, benignCorpus } from "./benign-corpus.ts"
import { BENIGN_LINES, generatedBenign } from "./generated-benign.ts"
import { labelledBenign } from "./labelled-benign.ts"
import { NEAR_MISSES, nearMisses } from "./near-misses.ts"

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
