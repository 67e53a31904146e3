import type { PayloadClass } from "../../src/events.ts"
import type { PayloadClassifier } from "../../src/ports.ts"

interface Judge {
  readonly modelId: string
  /** The one class of attack that it knows; default SQL injection. */
  readonly attackClass?: PayloadClass
  /** P(attack) of a text. */
  attackIn(text: string): number
}

export function fakeClassifier(judge: Judge): PayloadClassifier {
  const { modelId, attackClass = "sql_injection" } = judge
  return {
    info: {
      ...{ modelId, modelType: "test", trainedAt: "" },
      ...{ trainingSamples: 0, validationSamples: 0, metrics: {} },
    },
    certainThreshold: 0.9,
    classify({ text }) {
      const attack = judge.attackIn(text)
      return {
        class: attack > 0.5 ? attackClass : "benign",
        confidence: Math.max(attack, 1 - attack),
        probabilities: { [attackClass]: attack, benign: 1 - attack },
        method: "ml",
        model: modelId,
      }
    },
    explain: () => [],
  }
}

/** Says SQL injection, and how surely, by the number of quotes. */
export const BY_QUOTES = fakeClassifier({
  modelId: "by-quotes/1",
  attackIn: (text) => 1 - 1 / text.split("'").length,
})
