import type { PayloadPrediction, SuspectPayload } from "../events.ts"
import { SIMULATED_CLASSES, TWIN_LIMITS } from "../twin-protocol.ts"
import { worstFirst } from "./combine-scores.ts"
import { attackProbability } from "./payload-score.ts"

const SUSPECTS_MAX = 10
/** Of all values as JSON: a message of the queue has room for them beside the verdict. */
const SUSPECTS_BYTES_MAX = 262_144
const SHOWN_CHARACTERS = 100

/**
 * The payloads that are worth a try in a twin: of a class that has one, P(attack) at least
 * `threshold`, the surest first, at most 10 and no two alike. What is too large is cut and marked.
 */
export function suspectPayloads(
  predictions: readonly PayloadPrediction[],
  threshold: number,
): readonly SuspectPayload[] {
  const suspects = new Map<string, SuspectPayload>()
  let bytesLeft = SUSPECTS_BYTES_MAX
  for (const prediction of worstFirst(predictions)) {
    if (suspects.size === SUSPECTS_MAX || attackProbability(prediction) < threshold) break
    const { text, kind } = prediction.payload
    const key = `${prediction.class} ${kind} ${text}`
    if (!hasTwin(prediction) || suspects.has(key)) continue
    const suspect = suspectOf(prediction, bytesLeft)
    suspects.set(key, suspect)
    bytesLeft -= jsonBytes(suspect.value)
  }
  return [...suspects.values()]
}

function hasTwin({ class: name }: PayloadPrediction): boolean {
  return SIMULATED_CLASSES.some((simulated) => simulated === name)
}

function suspectOf(prediction: PayloadPrediction, bytesMax: number): SuspectPayload {
  const { id, text, location, kind } = prediction.payload
  const described = {
    payload_id: id,
    class: prediction.class,
    confidence: prediction.confidence,
    location,
    kind,
  }
  const isWhole =
    text.length <= TWIN_LIMITS.payloadBytesMax &&
    Buffer.byteLength(text) <= TWIN_LIMITS.payloadBytesMax &&
    jsonBytes(text) <= bytesMax
  if (isWhole) return { ...described, value: text }
  return { ...described, value: text.slice(0, SHOWN_CHARACTERS), truncated: true }
}

function jsonBytes(text: string): number {
  return Buffer.byteLength(JSON.stringify(text))
}
