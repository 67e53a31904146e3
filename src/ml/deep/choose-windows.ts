import { PAYLOAD_CLASSES } from "../../events.ts"
import { attackMargin, BENIGN } from "../models/linear-softmax.ts"
import type { ChosenWindow } from "./batches.ts"
import type { ByteWindows } from "./byte-windows.ts"
import type { DeepScorer } from "./deep-scorer.ts"

const CLASSES = PAYLOAD_CLASSES.length

/** Examples that have one window alone: nothing is to be chosen there. */
export function singleWindows(windows: ByteWindows): readonly ChosenWindow[] {
  return examplesOf(windows)
    .filter((example) => windowsIn(windows, example) === 1)
    .map((example) => ({ example, window: windows.windowsOf(example).from }))
}

/**
 * For every example the window that a model judges it by: of an attack the one most like its
 * label, of a benign text the one most like an attack (multiple-instance learning by the maximum).
 */
export async function chooseWindows(
  windows: ByteWindows,
  scorer: DeepScorer,
): Promise<readonly ChosenWindow[]> {
  const examples = examplesOf(windows).filter((example) => windowsIn(windows, example) > 1)
  const labelOf = (example: number) => windows.labels[example] ?? BENIGN
  const chosen = await strongestWindows(windows, scorer, { examples, labelOf })
  return [...singleWindows(windows), ...chosen]
}

/** Logits [CLASSES] of every text, by its most attack-like window, in the texts' order. */
export async function scoreTexts(
  windows: ByteWindows,
  scorer: DeepScorer,
): Promise<readonly Float64Array[]> {
  const selection = { examples: examplesOf(windows), labelOf: () => BENIGN }
  const scored = await strongestWindows(windows, scorer, selection)
  return scored.map(({ logits }) => logits)
}

interface ScoredWindow extends ChosenWindow {
  readonly logits: Float64Array
}

async function strongestWindows(
  windows: ByteWindows,
  scorer: DeepScorer,
  selection: { readonly examples: readonly number[]; labelOf(example: number): number },
): Promise<readonly ScoredWindow[]> {
  const candidates = selection.examples.flatMap((example) => {
    const { from } = windows.windowsOf(example)
    const count = windowsIn(windows, example)
    return Array.from({ length: count }, (_, index) => ({ example, window: from + index }))
  })
  const logits = await scorer.logits(
    windows,
    candidates.map(({ window }) => window),
  )
  const strongest = new Map<number, ScoredWindow & { readonly margin: number }>()
  for (const [place, { example, window }] of candidates.entries()) {
    const row = Float64Array.from(logits.subarray(place * CLASSES, (place + 1) * CLASSES))
    const margin = attackMargin(row, selection.labelOf(example))
    if (margin <= (strongest.get(example)?.margin ?? Number.NEGATIVE_INFINITY)) continue
    strongest.set(example, { example, window, logits: row, margin })
  }
  return [...strongest.values()]
}

function windowsIn(windows: ByteWindows, example: number): number {
  const { from, to } = windows.windowsOf(example)
  return to - from
}

function examplesOf(windows: ByteWindows): readonly number[] {
  return Array.from({ length: windows.size }, (_, example) => example)
}
