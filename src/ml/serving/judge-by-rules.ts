import { type Classification, PAYLOAD_CLASSES } from "../../events.ts"
import type { PayloadInput } from "../../ports.ts"
import { signatureOpinion } from "./signatures.ts"

const RULES_MODEL = "rules"
/** The class of what no model judged and no rule knew: nobody can call it benign. */
const UNKNOWN_CLASS = "unknown"

/**
 * What can be said of a payload while no model answers.
 *
 * A signature that matches gives its class; how surely is not known, so that its probability and that
 * of benign are equal. Where none matches the class is `unknown`, never `benign`: rules that see
 * nothing are no judgement.
 */
export function judgeByRules(input: PayloadInput): Classification {
  const { class: name } = signatureOpinion(input)
  if (name === "benign") {
    const probabilities = { ...share(PAYLOAD_CLASSES.length - 1), benign: 0.5 }
    return answer({ class: UNKNOWN_CLASS, confidence: 0, probabilities, method: "degraded" })
  }
  const probabilities = { ...share(), [name]: 0.5, benign: 0.5 }
  return answer({ class: name, confidence: 0.5, probabilities, method: "rules" })
}

/** Every class with an equal part of one half, or with nothing. */
function share(parts?: number): Record<string, number> {
  const each = parts === undefined ? 0 : 0.5 / parts
  return Object.fromEntries(PAYLOAD_CLASSES.map((name) => [name, each]))
}

function answer(said: Omit<Classification, "model" | "degraded">): Classification {
  return { ...said, model: RULES_MODEL, degraded: true }
}
