import { type BenignCorpus, benignCorpus } from "../../rules/benign/benign-corpus.ts"
import { heldBackCorpora, keptCorpora } from "../../rules/benign/kept-corpora.ts"
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
let heldBack: readonly BenignCorpus[] | undefined

/** The thread keeps what does not change: reading it takes seconds. */
// biome-ignore lint/style/noDefaultExport: what a worker pool loads is a default export
export default async function answer(order: PatternOrder): Promise<PatternAnswer> {
  const { task, stored, benignDirectory } = order
  kept ??= keptCorpora(benignDirectory)
  const searched = [...(await kept), benignCorpus("stored", stored)].filter(
    ({ count }) => count > 0,
  )
  heldBack ??= heldBackCorpora()
  const counts = Object.fromEntries(
    [...searched, ...heldBack].map(({ name, count }) => [name, count]),
  )
  return { made: task && makePattern(task, { searched, heldBack }), corpora: counts }
}
