import { ModelRefusedError, publicError, UnavailableError } from "../../errors.ts"
import type { Logger } from "../../log.ts"
import { checkDeepParity, readParity } from "../../ml/deep/deep-parity.ts"
import type { PredictionMemory } from "../../ml/serving/cached-classifier.ts"
import { CircuitBreaker } from "../../ml/serving/circuit-breaker.ts"
import { DeadlineTier } from "../../ml/serving/deadline-tier.ts"
import { type CatalogEntry, describeModel } from "../../ml/serving/model-catalog.ts"
import { SharedTier } from "../../ml/serving/shared-tier.ts"
import type { TextsJudge } from "../../ml/serving/text-gatherer.ts"
import type { SecondTierReport } from "../../ml/serving/traffic-report.ts"
import type { SecondTier, SecondTierOutcome, SecondTierSlot } from "../../model-traffic.ts"
import type { Telemetry } from "../../telemetry.ts"
import { type WorkerPool, workerPool } from "../worker-pool.ts"
import type { SecondTierOrder } from "./second-tier-worker.ts"

export interface LoadedSecondTier {
  readonly modelId: string
  readonly tier: DeadlineTier
  close(): Promise<void>
}

export interface SecondTierOptions {
  readonly memory: PredictionMemory
  readonly deadlineMs: number
  /** Monotonic milliseconds. */
  readonly nowMs: () => number
  readonly onOutcome?: (outcome: SecondTierOutcome) => void
  readonly onJudged?: (modelId: string, elapsedMs: number) => void
  /** Of the threads; default the one that runs the deep model. */
  readonly worker?: URL
}

const WORKER = new URL("./second-tier-worker.ts", import.meta.url)
/** Each has a session of its own, some 45 MB. */
const THREADS = 2
/** Calls that wait: with a call of some 0.3 ms they are done within a deadline of 10 ms. */
const QUEUE_MAX = 64
/** A thread that takes longer hangs: it is ended, and another one takes its place. */
const CALL_MS_MAX = 1_000
const OPENING_MS_MAX = 30_000

/**
 * Loads a deep model into threads of its own and holds what they say against what the model said when
 * it was trained.
 *
 * @throws ModelRefusedError where it is another model, made for other inputs, or says something else
 */
export async function loadSecondTier(
  entry: CatalogEntry,
  options: SecondTierOptions,
): Promise<LoadedSecondTier> {
  const { info, lineage } = await describeModel(entry)
  if (info.modelId !== entry.modelId) {
    throw new ModelRefusedError("metrics.json is of another version")
  }
  const parity = await readParity(entry.directory)
  const pool: WorkerPool<SecondTierOrder, Awaited<ReturnType<TextsJudge>>> = workerPool({
    file: options.worker ?? WORKER,
    threads: THREADS,
    queueMax: QUEUE_MAX,
  })
  const order = { directory: entry.directory, modelSha256: lineage.model_sha256 }
  const judgeWithin =
    (ms: number): TextsJudge =>
    (texts) =>
      pool.run({ ...order, texts }, AbortSignal.timeout(ms))
  try {
    // asked at once, so that each thread opens its session
    const opening = Array.from({ length: THREADS }, () =>
      checkDeepParity(parity, judgeWithin(OPENING_MS_MAX)),
    )
    await Promise.all(opening)
  } catch (error) {
    await pool.close()
    if (error instanceof ModelRefusedError) throw error
    throw new ModelRefusedError("its threads cannot load it", error)
  }
  const tier = new DeadlineTier({
    ...options,
    modelId: entry.modelId,
    judge: judgeWithin(CALL_MS_MAX),
    breaker: new CircuitBreaker(options.nowMs),
    setTimer(action, delayMs) {
      const timer = setTimeout(action, delayMs)
      return () => clearTimeout(timer)
    },
  })
  return { modelId: entry.modelId, tier, close: () => pool.close() }
}

export interface SecondTierParts {
  /** @throws ModelRefusedError */
  readonly load: (entry: CatalogEntry) => Promise<LoadedSecondTier>
  readonly find: (modelId: string) => Promise<CatalogEntry>
  readonly log: Logger
}

/** The model of the second tier that answers, and those that are about to. */
export class SecondTierHolder implements SecondTierSlot {
  readonly #parts: SecondTierParts | undefined
  readonly #loaded = new Map<string, LoadedSecondTier>()
  #live: LoadedSecondTier | undefined
  /** undefined where all sessions are its own. */
  #shared: { readonly tier: SharedTier; readonly percent: number } | undefined

  /** @param parts undefined for a process that serves no second tier */
  constructor(parts: SecondTierParts | undefined) {
    this.#parts = parts
  }

  get live(): SecondTier | undefined {
    return this.#shared?.tier ?? this.#live?.tier
  }

  /** What this process knows of it; undefined where the fast tier answers alone. */
  report(): SecondTierReport | undefined {
    if (this.#live === undefined) return undefined
    const { modelId, waiting, breaker } = this.#live.tier
    const comparison = this.#shared?.tier.comparison
    return {
      ...{ modelId, waiting, breaker: breaker.state, errorRate: breaker.errorRate },
      trial: comparison && {
        agreement: comparison.agreement(),
        examples: comparison.examples(),
      },
    }
  }

  /** Makes a model ready; `use` puts it in charge. @throws ModelRefusedError, ModelUnknownError */
  async prepare(modelId: string): Promise<void> {
    if (this.#loaded.has(modelId)) return
    if (this.#parts === undefined) throw new UnavailableError("the second tier")
    const loaded = await this.#parts.load(await this.#parts.find(modelId))
    const other = this.#loaded.get(modelId)
    // somebody was faster
    if (other === undefined) this.#loaded.set(modelId, loaded)
    else await loaded.close()
  }

  /** The same, where nobody waits for an error: the fast tier answers alone, and the log says why. */
  async tryPrepare(modelId: string | undefined): Promise<boolean> {
    if (modelId === undefined) return true
    try {
      await this.prepare(modelId)
      return true
    } catch (error) {
      const { message } = publicError(error)
      this.#parts?.log.error("the second tier cannot be served", {
        model: modelId,
        reason: message,
      })
      return false
    }
  }

  /**
   * Changes who answers, between two payloads, and lets the others go.
   * @param percent of the sessions, 0 = none
   */
  use(modelId: string | undefined, percent = 100): void {
    this.#live = modelId === undefined ? undefined : this.#loaded.get(modelId)
    this.#share(percent)
    for (const [id, loaded] of this.#loaded) {
      if (loaded === this.#live) continue
      this.#loaded.delete(id)
      void loaded.close().catch((error) => {
        this.#parts?.log.warn("threads of the second tier did not end", publicError(error))
      })
    }
  }

  /** What was compared is kept for as long as model and share are the same. */
  #share(percent: number): void {
    const tier = this.#live?.tier
    if (tier === undefined || percent >= 100) this.#shared = undefined
    else if (this.#shared?.percent !== percent || this.#shared.tier.modelId !== tier.modelId) {
      this.#shared = { tier: new SharedTier(tier, percent), percent }
    }
  }
}

/** Counts what becomes of the payloads that the second tier is asked about. */
export function secondTierMeter(telemetry: Pick<Telemetry, "secondTierAsked" | "inferred">) {
  return {
    onOutcome: telemetry.secondTierAsked,
    onJudged: (modelId: string, elapsedMs: number) =>
      telemetry.inferred(modelId, elapsedMs / 1_000),
  }
}
