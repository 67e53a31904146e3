import type { Config } from "../config.ts"
import { publicError, SentinelError, WorkerFailedError } from "../errors.ts"
import type { ExplainedVerdict, FetchedEvidence } from "../events.ts"
import type { Logger } from "../log.ts"
import type { JudgingThreads } from "../operators/judge-evidence.ts"
import type { EngineObserver } from "../stream/types.ts"
import type { JudgingAnswer, JudgingOrder, JudgingSettings } from "./judging-worker.ts"
import type { ModelServer } from "./model-server.ts"
import { workerPool } from "./worker-pool.ts"

export interface JudgingThreadsParts {
  readonly config: Config
  readonly log: Logger
  readonly server: Pick<ModelServer, "snapshot" | "receiveOfThread">
  readonly observer: Pick<EngineObserver, "operatorDone">
  /** Of the threads; default the one that judges. */
  readonly worker?: URL
}

export interface OpenedJudgingThreads extends JudgingThreads {
  close(): Promise<void>
}

const WORKER = new URL("./judging-worker.ts", import.meta.url)
/** A thread that takes longer over one batch hangs: it is ended, and another one takes its place. */
const BATCH_MS_MAX = 60_000
const NO_BYTES = new Uint8Array()

/**
 * Threads that judge evidence by the plan that holds here. They load their models from the start on,
 * and are ready when all have; where they cannot, the log says why and everything is judged here.
 */
export function openJudgingThreads(parts: JudgingThreadsParts): OpenedJudgingThreads {
  const { config, log, server, observer } = parts
  const count = config.analysisThreads
  const pool = workerPool<JudgingOrder, JudgingAnswer>({
    ...{ file: parts.worker ?? WORKER, threads: count, queueMax: count },
  })
  const settings = settingsOf(config)
  let isReady = false

  async function ask(evidence: readonly FetchedEvidence[]): Promise<JudgingAnswer> {
    const moved = evidence.map(ownBytes)
    const buffers = moved.flatMap(({ objects }) => objects.map(({ bytes }) => bytes.buffer))
    const order = { settings, plan: server.snapshot(), evidence: moved }
    try {
      return await pool.run(order, AbortSignal.timeout(BATCH_MS_MAX), buffers)
    } catch (error) {
      throw error instanceof SentinelError ? error : new WorkerFailedError(error)
    }
  }

  void Promise.all(Array.from({ length: count }, () => ask([]))).then(
    () => {
      isReady = true
    },
    (error) => log.error("the threads of the analysis cannot start", publicError(error)),
  )
  return {
    count,
    isReady: () => isReady,
    async judge(evidence) {
      const { verdicts, timings, thread, report } = await ask(evidence)
      server.receiveOfThread(thread, report)
      for (const timing of timings) observer.operatorDone(...timing)
      return verdicts.map(parse)
    },
    close: () => pool.close(),
  }
}

function parse(verdict: string | undefined): ExplainedVerdict | undefined {
  return verdict === undefined ? undefined : (JSON.parse(verdict) as ExplainedVerdict)
}

function settingsOf(config: Config): JudgingSettings {
  const { cache, contamination, dataDir, predictDeadlineMs, thresholds, weights } = config
  return { cache, contamination, dataDir, predictDeadlineMs, thresholds, weights }
}

/**
 * With bytes of its own, to be moved: those here stay for another try and for the dead letter, and may
 * be a part of something larger, which would be copied as a whole.
 */
function ownBytes(evidence: FetchedEvidence) {
  const { location } = evidence
  return {
    ...evidence,
    location: location.kind === "inline" ? { ...location, bytes: NO_BYTES } : location,
    objects: evidence.objects.map((object) => ({ ...object, bytes: new Uint8Array(object.bytes) })),
  }
}
