import { ModelRefusedError } from "../../errors.ts"
import type { ModelCheck } from "../../ml/serving/load-served-model.ts"
import { workerPool } from "../worker-pool.ts"
import type { ModelCheckAnswer, ModelCheckOrder } from "./model-check-worker.ts"

const WORKER = new URL("./model-check-worker.ts", import.meta.url)
/** Half a second of one core: on one that is busy, where it comes last, some ten times as long. */
const CHECK_MS_MAX = 60_000

/**
 * Checks a model in a thread of its own, so that requests are answered meanwhile. The thread ends with
 * the check: models are seldom promoted, and it would keep some 45 MB.
 *
 * @throws ModelRefusedError
 */
export const checkInThread: ModelCheck = async (directory, modelSha256) => {
  const pool = workerPool<ModelCheckOrder, ModelCheckAnswer>({
    file: WORKER,
    threads: 1,
    queueMax: 1,
  })
  try {
    const answer = await pool.run({ directory, modelSha256 }, AbortSignal.timeout(CHECK_MS_MAX))
    if ("refused" in answer) throw new ModelRefusedError(answer.refused)
    return answer.referenceScores
  } catch (error) {
    if (error instanceof ModelRefusedError) throw error
    throw new ModelRefusedError("its check did not end well", error)
  } finally {
    await pool.close()
  }
}
