import { setImmediate } from "node:timers/promises"
import { ModelRefusedError } from "../../errors.ts"
import type { PayloadClassifier } from "../../ports.ts"
import { generatePayloads } from "../generators/payloads.ts"
import { ArmMeter } from "./arm-meter.ts"
import {
  cachedClassifier,
  type PredictionCacheOptions,
  type RememberingClassifier,
} from "./cached-classifier.ts"
import { CircuitBreaker } from "./circuit-breaker.ts"
import { fieldwiseClassifier } from "./fieldwise-classifier.ts"
import {
  checkPayloadModel,
  type OpenedPayloadModel,
  openPayloadModel,
} from "./load-payload-classifier.ts"
import { type CatalogEntry, describeModel } from "./model-catalog.ts"
import { SCORE_BINS, scoreBin } from "./population-stability.ts"
import type { ServedModel } from "./traffic-classifier.ts"

/** A model that is ready to answer, with the population that its drift is measured against. */
export interface LoadedModel extends ServedModel {
  readonly classifier: RememberingClassifier
  /** Counts of P(attack) by tenth on generated payloads, as kept at registration. */
  readonly referenceScores: readonly number[]
}

/** The payloads of the reference population: the same for every model. */
const REFERENCE_SET = { seed: 20_253, count: 1_000 } as const
/** Judged before others get their turn: about a millisecond of work. */
const TURN_PAYLOADS = 10

/**
 * Holds a model against ONNX Runtime. @returns its reference scores @throws ModelRefusedError
 * @param modelSha256 of the model that is meant, should the directory's have changed meanwhile
 */
export type ModelCheck = (directory: string, modelSha256: string) => Promise<readonly number[]>

export interface LoadOptions {
  readonly cache: PredictionCacheOptions
  /** Monotonic milliseconds. */
  readonly nowMs: () => number
  /** Who checks while others are answered; default here, which warms the code up as well. */
  readonly check?: ModelCheck
}

/**
 * Loads and checks a model. Where it is checked here, the event loop is given back every millisecond or so,
 * and the first answer takes no longer than the thousandth.
 *
 * @throws ModelRefusedError where digest, schema or the agreement with ONNX Runtime is wrong
 */
export async function loadServedModel(
  entry: CatalogEntry,
  { cache, nowMs, check }: LoadOptions,
): Promise<LoadedModel> {
  const opened = await openPayloadModel(entry.directory)
  const { lineage } = await describeModel(entry)
  if (opened.classifier.info.modelId !== entry.modelId) {
    throw new ModelRefusedError("metrics.json is of another version")
  }
  const scores = await (check?.(entry.directory, lineage.model_sha256) ?? checkedScores(opened))
  const uncached = fieldwiseClassifier(opened.classifier)
  return {
    modelId: entry.modelId,
    classifier: cachedClassifier(uncached, cache),
    uncached,
    breaker: new CircuitBreaker(nowMs),
    meter: new ArmMeter(),
    referenceScores: lineage.reference_scores ?? scores,
  }
}

/** Reference scores of a model that agrees with ONNX Runtime. @throws ModelRefusedError */
export async function checkedScores(opened: OpenedPayloadModel): Promise<readonly number[]> {
  await checkPayloadModel(opened)
  return referenceScores(fieldwiseClassifier(opened.classifier))
}

/** What a model is asked most will be asked of the next one too. */
const WARMED_MAX = 1_000

/** Judges what `from` was asked last, so that a promotion does not begin with an empty memory. */
export async function warmMemory(model: LoadedModel, from: LoadedModel): Promise<void> {
  for (const [index, input] of from.classifier.recent(WARMED_MAX).entries()) {
    // a model that fails shows it under traffic, where it is counted
    try {
      model.classifier.warm(input)
    } catch {
      return
    }
    if (index % TURN_PAYLOADS === TURN_PAYLOADS - 1) await setImmediate()
  }
}

/** How a model's P(attack) spreads over generated payloads, by tenth. */
export async function referenceScores(classifier: PayloadClassifier): Promise<readonly number[]> {
  const scores = new Array<number>(SCORE_BINS).fill(0)
  let judged = 0
  for (const payload of generatePayloads(REFERENCE_SET)) {
    const bin = scoreBin(1 - (classifier.classify(payload).probabilities.benign ?? 0))
    scores[bin] = (scores[bin] ?? 0) + 1
    judged += 1
    if (judged % TURN_PAYLOADS === 0) await setImmediate()
  }
  return scores
}
