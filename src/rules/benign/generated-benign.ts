import { generatePayloads } from "../../ml/generators/payloads.ts"

/** The shipped benign corpus of rules: the same lines everywhere. */
export const BENIGN_LINES = { seed: 8_003, count: 100_000 } as const
/** Others of their kind, that only a finished pattern is held against. */
export const HELD_BACK_LINES = { seed: 8_006, count: 50_000 } as const

/** Benign lines of the generators that the models are trained with, of all their kinds. */
export function* generatedBenign({
  seed,
  count,
}: {
  seed: number
  count: number
}): Generator<string> {
  let left = count
  // about three in five generated payloads are benign
  for (const { label, text } of generatePayloads({ seed, count: count * 4 })) {
    if (label !== "benign") continue
    if (left <= 0) return
    left -= 1
    yield text
  }
}
