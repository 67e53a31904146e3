import type { Config } from "../config.ts"
import { publicError, SentinelError, WorkerFailedError } from "../errors.ts"
import type { ExplainedVerdict, FetchedEvidence } from "../events.ts"
import type { Logger } from "../log.ts"
import type { JudgingThreads } from "../operators/judge-evidence.ts"
import type { EngineObserver } from "../stream/types.ts"
import type { Telemetry } from "../telemetry.ts"
import type { JudgingAnswer, JudgingOrder, JudgingSettings } from "./judging-worker.ts"
import type { ModelServer } from "./models/model-server.ts"
import { workerPool } from "./worker-pool.ts"

export interface JudgingThreadsParts {
  readonly config: Config
  readonly log: Logger
  readonly server: Pick<ModelServer, "snapshot" | "receiveOfThread">
  readonly observer: Pick<EngineObserver, "operatorDone">
  readonly telemetry: Pick<Telemetry, "cacheLookedUp">
  /** Of the threads; default the one that judges. */
  readonly worker?: URL
}

export interface OpenedJudgingThreads extends JudgingThreads {
  close(): Promise<void>
}

const WORKER = new URL("./judging-worker.ts", import.meta.url)
/** A thread that takes longer over one piece hangs: it is ended, and another one takes its place. */
const PIECE_MS_MAX = 60_000
const NO_BYTES = new Uint8Array()

/**
 * Threads that judge evidence by the plan that holds here. They load their models from the start on,
 * and are ready when all have; where they cannot, the log says why and everything is judged here.
 */
export function openJudgingThreads(parts: JudgingThreadsParts): OpenedJudgingThreads {
  const { config, log, server, observer, telemetry } = parts
  const count = config.analysisThreads
  const pool = workerPool<JudgingOrder, JudgingAnswer>({
    ...{ file: parts.worker ?? WORKER, threads: count },
    // a batch and a start for each thread
    queueMax: 2 * count,
  })
  const settings = settingsOf(config)
  let [isReady, isClosed] = [false, false]
  let starting: Promise<boolean> | undefined

  async function ask(evidence: readonly FetchedEvidence[]): Promise<JudgingAnswer> {
    const moved = evidence.map(ownBytes)
    const buffers = moved.flatMap(({ objects }) => objects.map(({ bytes }) => bytes.buffer))
    const order = { settings, plan: server.snapshot(), evidence: moved }
    try {
      const signal = AbortSignal.timeout(PIECE_MS_MAX * Math.max(1, evidence.length))
      return await pool.run(order, signal, buffers)
    } catch (error) {
      throw error instanceof SentinelError ? error : new WorkerFailedError(error)
    }
  }

  async function load(): Promise<boolean> {
    try {
      await Promise.all(Array.from({ length: count }, () => ask([])))
      isReady = true
    } catch (error) {
      if (!isClosed) log.error("the threads of the analysis cannot start", publicError(error))
    }
    return isReady
  }

  function start(): Promise<boolean> {
    starting ??= load()
    return starting
  }

  /** One thread less: nothing goes to the others before it is replaced. */
  function restarting(error: unknown): never {
    isReady = false
    starting = undefined
    void start()
    throw error
  }

  void start()
  return {
    count,
    isReady: () => isReady,
    start,
    async judge(evidence) {
      const { verdicts, timings, lookups, thread, report } = await ask(evidence).catch(restarting)
      server.receiveOfThread(thread, report)
      for (const timing of timings) observer.operatorDone(...timing)
      telemetry.cacheLookedUp("payload", true, lookups.hits)
      telemetry.cacheLookedUp("payload", false, lookups.misses)
      return verdicts.map(parse)
    },
    async close() {
      isClosed = true
      await pool.close()
    },
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
