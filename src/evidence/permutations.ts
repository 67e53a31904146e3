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
 * Every way to take one alternative of each list, one after the other, joined; the first list varies
 * fastest. As many as the product of the lists' lengths, so the caller bounds what it takes.
 */
export function* joinedChoices<T>(
  lists: readonly (readonly (readonly T[])[])[],
): Generator<readonly T[]> {
  const combinations = lists.reduce((product, list) => product * list.length, 1)
  for (let combination = 0; combination < combinations; combination += 1) {
    let rest = combination
    yield lists.flatMap((list) => {
      const choice = list[rest % list.length] ?? []
      rest = Math.floor(rest / list.length)
      return choice
    })
  }
}
