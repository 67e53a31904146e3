import type { PayloadPrediction, Session } from "../../events.ts"
import { payloadStatistics } from "./payload-statistics.ts"

/** P(attack) from which a prediction counts as an attack in a profile. */
const LIKELY_ATTACK = 0.8

/** Payloads of a session that look like attacks, by class and by request. */
export interface AttackSigns {
  readonly count: number
  /** Attack classes seen, in order of appearance. */
  readonly classes: readonly string[]
  /** Class of the first attack in a request, by request index. */
  readonly byRequest: ReadonlyMap<number, string>
  readonly texts: readonly string[]
}

/** Reads the attacks from the classifier's predictions, or from patterns where there are none. */
export function attackSigns(
  session: Session,
  predictions: readonly PayloadPrediction[] | undefined,
): AttackSigns {
  const classes = new Set<string>()
  const byRequest = new Map<number, string>()
  const texts: string[] = []
  for (const { payload, name } of predictions?.flatMap(predicted) ?? matched(session)) {
    classes.add(name)
    texts.push(payload.text)
    const { requestIndex } = payload
    if (requestIndex !== undefined && !byRequest.has(requestIndex))
      byRequest.set(requestIndex, name)
  }
  return { count: texts.length, classes: [...classes], byRequest, texts }
}

function predicted(prediction: PayloadPrediction) {
  const likely = 1 - (prediction.probabilities.benign ?? 0) >= LIKELY_ATTACK
  if (!likely || prediction.class === "benign") return []
  return [{ payload: prediction.payload, name: prediction.class }]
}

function* matched(session: Session) {
  for (const payload of session.payloads) {
    const name = matchedClass(payloadStatistics([payload]))
    if (name !== undefined) yield { payload, name }
  }
}

function matchedClass(found: ReturnType<typeof payloadStatistics>): string | undefined {
  if (found.hasSql) return "sql_injection"
  if (found.hasXss) return "xss"
  if (found.hasCommand) return "command_injection"
  return found.hasTraversal ? "path_traversal" : undefined
}
