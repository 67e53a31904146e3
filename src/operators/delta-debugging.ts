/**
 * Shortens a sequence as long as `keeps` says that what remains still does it: the ddmin algorithm.
 *
 * In: a sequence of which `keeps` is true. Out: a subsequence of which it is true; 1-minimal (no single
 * unit can go) unless `trialsMax` calls of `keeps` were not enough, then the shortest found.
 * @see Zeller and Hildebrandt, Simplifying and Isolating Failure-Inducing Input, IEEE TSE 28(2), 2002
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

/** Each part alone, then all without each part; with two parts these are the same. */
function* candidates<T>(units: readonly T[], parts: number): Generator<Candidate<T>> {
  const bounds = Array.from({ length: parts + 1 }, (_, at) =>
    Math.floor((at * units.length) / parts),
  )
  const chunks = bounds.slice(0, -1).map((start, at) => ({ start, end: bounds[at + 1] ?? start }))
  for (const { start, end } of chunks) yield { units: units.slice(start, end), parts: 2 }
  if (parts === 2) return
  for (const { start, end } of chunks) {
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
