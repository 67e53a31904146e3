import { DeepJudge } from "../../ml/deep/deep-judge.ts"
import type { PlacedText, Probabilities } from "../../ml/serving/text-gatherer.ts"

/** What the thread is asked: which model, always the same of one pool, and about which texts. */
export interface SecondTierOrder {
  readonly directory: string
  readonly modelSha256: string
  readonly texts: readonly PlacedText[]
}

let opened: Promise<DeepJudge> | undefined

/** The thread keeps its session: to open one takes longer than a deadline. */
// biome-ignore lint/style/noDefaultExport: what a worker pool loads is a default export
export default async function answer(order: SecondTierOrder): Promise<readonly Probabilities[]> {
  opened ??= DeepJudge.open(order.directory, order.modelSha256)
  return (await opened).judge(order.texts)
}
