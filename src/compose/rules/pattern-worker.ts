import { type BenignCorpus, benignCorpus } from "../../rules/benign/benign-corpus.ts"
import { BENIGN_LINES, generatedBenign } from "../../rules/benign/generated-benign.ts"
import { labelledBenign } from "../../rules/benign/labelled-benign.ts"
import { NEAR_MISSES, nearMisses } from "../../rules/benign/near-misses.ts"
import { type MadePattern, makePattern, type PatternTask } from "../../rules/make-pattern.ts"

/** What the thread is asked: the exploit, and benign texts of this deployment. */
export interface PatternOrder {
  /** undefined: to read the corpus, while the task is not known yet. */
  readonly task: PatternTask | undefined
  readonly stored: readonly string[]
  /** Labelled files whose benign rows count as well; the same in every order. */
  readonly benignDirectory: string | undefined
}

export interface PatternAnswer {
  readonly made: MadePattern | undefined
  /** Texts by corpus that the pattern was held against. */
  readonly corpora: Readonly<Record<string, number>>
}

let kept: Promise<readonly BenignCorpus[]> | undefined

/** The thread keeps what does not change: reading it takes seconds. */
// biome-ignore lint/style/noDefaultExport: what a worker pool loads is a default export
export default async function answer(order: PatternOrder): Promise<PatternAnswer> {
  const { task, stored, benignDirectory } = order
  kept ??= keptCorpora(benignDirectory)
  const corpora = [...(await kept), benignCorpus("stored", stored)].filter(({ count }) => count > 0)
  const counts = Object.fromEntries(corpora.map(({ name, count }) => [name, count]))
  return { made: task && makePattern(task, corpora), corpora: counts }
}

/** What cannot be read fails every order: a rule is not to be held against less than was asked for. */
async function keptCorpora(directory: string | undefined): Promise<readonly BenignCorpus[]> {
  const own = [
    // few and telling, so they are asked first
    benignCorpus("near_misses", nearMisses(NEAR_MISSES)),
    benignCorpus("generated", generatedBenign(BENIGN_LINES)),
  ]
  if (directory === undefined) return own
  return [...own, benignCorpus("labelled", await labelledBenign(directory))]
}
