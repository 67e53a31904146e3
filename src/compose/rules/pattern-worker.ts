import { type BenignCorpus, benignCorpus } from "../../rules/benign/benign-corpus.ts"
import { BENIGN_LINES, generatedBenign } from "../../rules/benign/generated-benign.ts"
import { type MadePattern, makePattern, type PatternTask } from "../../rules/make-pattern.ts"

/** What the thread is asked: the exploit, and benign texts of this deployment. */
export interface PatternOrder {
  /** undefined: to read the corpus, while the task is not known yet. */
  readonly task: PatternTask | undefined
  readonly stored: readonly string[]
}

export interface PatternAnswer {
  readonly made: MadePattern | undefined
  /** Texts by corpus that the pattern was held against. */
  readonly corpora: Readonly<Record<string, number>>
}

let generated: BenignCorpus | undefined

/** The thread keeps the generated corpus: reading it takes seconds. */
// biome-ignore lint/style/noDefaultExport: what a worker pool loads is a default export
export default function answer({ task, stored }: PatternOrder): PatternAnswer {
  generated ??= benignCorpus("generated", generatedBenign(BENIGN_LINES))
  const corpora = [generated, benignCorpus("stored", stored)].filter(({ count }) => count > 0)
  const counts = Object.fromEntries(corpora.map(({ name, count }) => [name, count]))
  return { made: task && makePattern(task, corpora), corpora: counts }
}
