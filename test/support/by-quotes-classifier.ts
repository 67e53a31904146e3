import type { PayloadClassifier } from "../../src/ports.ts"

/** Says SQL injection, and how surely, by the number of quotes. */
export const BY_QUOTES: PayloadClassifier = {
  info: {
    modelId: "by-quotes/1",
    modelType: "test",
    trainedAt: "",
    trainingSamples: 0,
    validationSamples: 0,
    metrics: {},
  },
  certainThreshold: 0.9,
  classify({ text }) {
    const attack = 1 - 1 / (1 + text.split("'").length - 1)
    return {
      class: attack > 0.5 ? "sql_injection" : "benign",
      confidence: Math.max(attack, 1 - attack),
      probabilities: { sql_injection: attack, benign: 1 - attack },
      method: "ml",
      model: "by-quotes/1",
    }
  },
  explain: () => [],
}
