import type { ExplainedVerdict, FetchedEvidence } from "../events.ts"
import type { Operator, OperatorContext } from "../stream/types.ts"

/** Threads that judge evidence. */
export interface JudgingThreads {
  readonly count: number
  /** False while they load their models, at the start and after one died. */
  isReady(): boolean
  /** Waits until they are ready; false where they cannot be. */
  start(): Promise<boolean>
  /**
   * A verdict for each, in order; undefined for what cannot be judged: whoever judges it by himself
   * learns why.
   * @throws WorkerFailedError where the thread died over it, or took too long
   */
  judge(evidence: readonly FetchedEvidence[]): Promise<readonly (ExplainedVerdict | undefined)[]>
}

export interface JudgeParts {
  readonly threads: JudgingThreads
  /** Judges in this thread. @throws OperatorFailure */
  judgeHere(
    evidence: FetchedEvidence,
    context: OperatorContext,
  ): Promise<ExplainedVerdict> | ExplainedVerdict
}

/** A batch is some milliseconds of work: more would keep other threads waiting for theirs. */
const BATCH_MAX = 8

/**
 * Judges evidence: what comes alone in this thread, at once; what comes together in other ones.
 *
 * Evidence over which a thread died is not let near this one: it is tried once more in another thread,
 * alone, and then dead-lettered. Where threads cannot even start, it is not the evidence that is feared.
 */
export function judgeEvidence({
  threads,
  judgeHere,
}: JudgeParts): Operator<FetchedEvidence, ExplainedVerdict> {
  const suspects = new WeakSet<FetchedEvidence>()
  return {
    name: "judge_evidence",
    concurrency: threads.count,
    async process(evidence, context) {
      const isFeared = suspects.has(evidence) && (await threads.start())
      const [verdict] = isFeared ? await threads.judge([evidence]) : []
      return verdict ?? judgeHere(evidence, context)
    },
    batch: {
      sizeMax: BATCH_MAX,
      where: `batches in ${threads.count} ${threads.count === 1 ? "thread" : "threads"}`,
      async process(batch) {
        // one by one, here: better than to wait for them
        if (!threads.isReady()) return batch.map(() => undefined)
        try {
          return await threads.judge(batch)
        } catch (error) {
          for (const evidence of batch) suspects.add(evidence)
          throw error
        }
      },
    },
  }
}
