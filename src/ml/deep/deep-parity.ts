import { join } from "node:path"
import { ModelRefusedError } from "../../errors.ts"
import { PAYLOAD_KINDS } from "../../events.ts"
import { generatePayloads } from "../generators/payloads.ts"
import { readObject } from "../serving/payload-model-files.ts"
import type { PlacedText, Probabilities, TextsJudge } from "../serving/text-gatherer.ts"

/** Texts, and what the model said of them when it was trained. */
export interface DeepParity {
  readonly texts: readonly PlacedText[]
  /** Each in the order of PAYLOAD_CLASSES. */
  readonly probabilities: readonly Probabilities[]
}

export const PARITY_FILE = "parity.json"
/** Largest difference of a probability that is still called the same: kernels sum in other orders. */
const DEEP_PARITY_TOLERANCE = 1e-4
const PARITY_SET = { seed: 20_261, count: 64 } as const
/** Longer ones are left out: the file is for people too. */
const TEXT_CHARS_MAX = 1_024
const TEXTS_A_CALL = 16

/** What a model says of generated texts, to be kept beside it. */
export async function recordParity(judge: TextsJudge): Promise<DeepParity> {
  const texts = [...generatePayloads(PARITY_SET)]
    .filter(({ text }) => text.length <= TEXT_CHARS_MAX)
    .map(({ text, kind }) => (kind === undefined ? { text } : { text, kind }))
  return { texts, probabilities: await judgeInCalls(texts, judge) }
}

/**
 * Holds what a model says now against what it said when it was trained: another runtime, normaliser or
 * hash would show.
 *
 * @returns the largest difference of any probability
 * @throws ModelRefusedError where it exceeds DEEP_PARITY_TOLERANCE
 */
export async function checkDeepParity(recorded: DeepParity, judge: TextsJudge): Promise<number> {
  const now = await judgeInCalls(recorded.texts, judge)
  const largest = largestDifference(recorded.probabilities, now)
  if (largest <= DEEP_PARITY_TOLERANCE) return largest
  throw new ModelRefusedError("it judges otherwise than when it was trained")
}

/** @throws ModelRefusedError for a directory without it */
export async function readParity(directory: string): Promise<DeepParity> {
  const { texts, probabilities } = await readObject(join(directory, PARITY_FILE))
  const isWell =
    Array.isArray(texts) &&
    Array.isArray(probabilities) &&
    texts.length > 0 &&
    texts.length <= PARITY_SET.count &&
    texts.length === probabilities.length &&
    texts.every(isPlacedText) &&
    probabilities.every((row) => Array.isArray(row))
  if (!isWell) throw new ModelRefusedError(`${PARITY_FILE} is none`)
  return { texts, probabilities }
}

function isPlacedText(value: unknown): boolean {
  const { text, kind } = (value ?? {}) as { text?: unknown; kind?: unknown }
  const isKind = kind === undefined || PAYLOAD_KINDS.some((known) => known === kind)
  return isKind && typeof text === "string" && text.length <= TEXT_CHARS_MAX
}

async function judgeInCalls(
  texts: readonly PlacedText[],
  judge: TextsJudge,
): Promise<readonly Probabilities[]> {
  const answers: Probabilities[] = []
  for (let from = 0; from < texts.length; from += TEXTS_A_CALL) {
    answers.push(...(await judge(texts.slice(from, from + TEXTS_A_CALL))))
  }
  return answers
}

/** What is no number, or missing, differs as much as can be. */
function largestDifference(
  recorded: readonly Probabilities[],
  now: readonly Probabilities[],
): number {
  let largest = 0
  for (const [row, before] of recorded.entries()) {
    const after = now[row]
    if (after?.length !== before.length) return 1
    for (const [index, probability] of before.entries()) {
      const difference = Math.abs(probability - (after[index] ?? Number.NaN))
      if (!(difference <= 1)) return 1
      largest = Math.max(largest, difference)
    }
  }
  return largest
}
