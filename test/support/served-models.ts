import { ArmMeter } from "../../src/ml/serving/arm-meter.ts"
import { cachedClassifier } from "../../src/ml/serving/cached-classifier.ts"
import { CircuitBreaker } from "../../src/ml/serving/circuit-breaker.ts"
import type { ServedModel } from "../../src/ml/serving/traffic-classifier.ts"
import type { PayloadClassifier } from "../../src/ports.ts"
import { BY_QUOTES } from "./fake-classifier.ts"

/** A model that judges by quotes under its own name, changed as the test wants it. */
export function servedModel(
  modelId: string,
  change: (classifier: PayloadClassifier) => Partial<PayloadClassifier> = () => ({}),
  nowMs: () => number = () => 0,
): ServedModel {
  const named: PayloadClassifier = {
    ...BY_QUOTES,
    info: { ...BY_QUOTES.info, modelId },
    classify: (input) => ({ ...BY_QUOTES.classify(input), model: modelId }),
  }
  const uncached = { ...named, ...change(named) }
  return {
    modelId,
    uncached,
    classifier: cachedClassifier(uncached, { entriesMax: 100, ttlMs: 60_000 }),
    breaker: new CircuitBreaker(nowMs),
    meter: new ArmMeter(),
  }
}

export function failing(): Partial<PayloadClassifier> {
  return {
    classify: () => {
      throw new Error("the model is broken")
    },
  }
}

/** Says attack where the model said benign, and the other way round. */
export function flipping(classifier: PayloadClassifier): Partial<PayloadClassifier> {
  return {
    classify(input) {
      const said = classifier.classify(input)
      const { benign = 0 } = said.probabilities
      return {
        ...said,
        class: said.class === "benign" ? "sql_injection" : "benign",
        probabilities: { sql_injection: benign, benign: 1 - benign },
      }
    },
  }
}
