/**
 * Shortens a sequence as long as `keeps` says that what remains still does it: the ddmin algorithm,
 * which only ever leaves parts out. To try parts alone costs as many trials, and what is needed seldom
 * stands in one of them.
 *
 * In: a sequence of which `keeps` is true. Out: a subsequence of which it is true; 1-minimal (no single
 * unit can go) unless `trialsMax` calls of `keeps` were not enough, then the shortest found.
 * @see Zeller and Hildebrandt, Simplifying and Isolating Failure-Inducing Input, IEEE TSE 28(2), 2002
 * @see Hodován and Kiss, Practical Improvements to the Minimizing Delta Debugging Algorithm, ICSOFT 2016
 */
export async function deltaDebug<T>(
  units: readonly T[],
  keeps: (units: readonly T[]) => Promise<boolean>,
  trialsMax: number,
): Promise<readonly T[]> {
  let left = units
  let parts = Math.min(2, left.length)
  let trials = 0
  while (left.length > 1) {
    const shorter = await firstThatKeeps(candidates(left, parts), async (candidate) => {
      trials += 1
      return trials <= trialsMax && (await keeps(candidate))
    })
    if (trials >= trialsMax) return shorter?.units ?? left
    if (shorter !== undefined) {
      left = shorter.units
      parts = Math.min(Math.max(shorter.parts, 2), left.length)
    } else if (parts < left.length) {
      parts = Math.min(2 * parts, left.length)
    } else return left
  }
  return left
}

interface Candidate<T> {
  readonly units: readonly T[]
  /** Into how many parts it is divided next. */
  readonly parts: number
}

/** All without one part, the last part first: what stands behind an attack is seldom needed. */
function* candidates<T>(units: readonly T[], parts: number): Generator<Candidate<T>> {
  const bounds = Array.from({ length: parts + 1 }, (_, at) =>
    Math.floor((at * units.length) / parts),
  )
  const chunks = bounds.slice(0, -1).map((start, at) => ({ start, end: bounds[at + 1] ?? start }))
  for (const { start, end } of chunks.reverse()) {
    yield { units: [...units.slice(0, start), ...units.slice(end)], parts: parts - 1 }
  }
}

async function firstThatKeeps<T>(
  all: Iterable<Candidate<T>>,
  keeps: (units: readonly T[]) => Promise<boolean>,
): Promise<Candidate<T> | undefined> {
  for (const candidate of all) if (await keeps(candidate.units)) return candidate
  return undefined
}
