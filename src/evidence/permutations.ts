/** Every order of `items`, the given one first; n! of them, so the caller bounds n. */
export function* permutations<T>(items: readonly T[]): Generator<readonly T[]> {
  if (items.length <= 1) {
    yield items
    return
  }
  for (const [index, item] of items.entries()) {
    for (const rest of permutations(items.toSpliced(index, 1))) yield [item, ...rest]
  }
}

/**
 * Every way to put one alternative of each list after the other, without repeats of work:
 * the last list varies fastest.
 */
export function* concatenations<T>(
  lists: readonly (() => Iterable<readonly T[]>)[],
): Generator<readonly T[]> {
  const [first, ...others] = lists
  if (first === undefined) {
    yield []
    return
  }
  for (const head of first()) {
    for (const tail of concatenations(others)) yield [...head, ...tail]
  }
}
