import type { Random } from "../random.ts"
import type { ByteWindows } from "./byte-windows.ts"
import { paddedLength } from "./text-batch.ts"

/** An example with the window of it that is looked at. */
export interface ChosenWindow {
  readonly example: number
  readonly window: number
}

/**
 * Groups windows into batches of equal padded length, at most `size` each. With `random`, both the
 * members and the order of the batches are shuffled; without it they stay in order.
 */
export function batchesOf<T extends { readonly window: number }>(
  windows: ByteWindows,
  chosen: readonly T[],
  { size, random }: { readonly size: number; readonly random?: Random },
): readonly (readonly T[])[] {
  const order = random === undefined ? chosen : shuffled(chosen, random)
  const byLength = Map.groupBy(order, ({ window }) => paddedLength(windows.lengthOf(window)))
  const batches = [...byLength.values()].flatMap((group) =>
    Array.from({ length: Math.ceil(group.length / size) }, (_, index) =>
      group.slice(index * size, (index + 1) * size),
    ),
  )
  return random === undefined ? batches : shuffled(batches, random)
}

function shuffled<T>(items: readonly T[], random: Random): readonly T[] {
  const order = Int32Array.from({ length: items.length }, (_, index) => index)
  random.shuffle(order)
  return Array.from(order, (index) => items[index] as T)
}
