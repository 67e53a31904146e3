import type { StoredObject } from "../events.ts"
import { sha256Hex } from "./digest.ts"
import { joinedChoices, permutations } from "./permutations.ts"

/** Up to this many files of a group are tried in every order. */
const PERMUTED_MAX = 6
/** Orders tried of a larger group's ties in last-modified time: as many as 6 files have. */
const TIE_ORDERS_MAX = 720
/** Work of one search; the 720 x 720 orders of two full groups need less. */
const HASHED_BYTES_MAX = 268_435_456

/** One of the prefix's objects, its path relative to the prefix. */
export interface PrefixFile extends StoredObject {
  readonly path: string
}

type Order = readonly string[]

interface Digested {
  readonly path: string
  readonly modifiedMs: number
  readonly sha256: string
}

/**
 * "matches": some order of the producer's walk gives the checksum. "differs": none can.
 * "undecided": there are too many files to try every order.
 */
export type ChecksumOutcome = "matches" | "differs" | "undecided"

/**
 * Finds whether a form B checksum is that of these files. It is the sha256 over the concatenated
 * hex digests in the order of the producer's directory walk, which nobody recorded: files of the
 * root first, then `payloads/*`, each group in any order. Likely orders are tried first.
 *
 * At most 720 x 720 orders and HASHED_BYTES_MAX; lets other work in between.
 * @param checksum 64 lower-case hex digits
 */
export async function matchPrefixChecksum(
  files: readonly PrefixFile[],
  checksum: string,
): Promise<ChecksumOutcome> {
  const { root, payloads } = groups(files)
  for (const order of likelyOrders(root)) {
    for (const rest of likelyOrders(payloads)) {
      if (sha256Hex([...order, ...rest].join("")) === checksum) return "matches"
    }
  }
  if (await matchesInAnyOrder(root, payloads, checksum)) return "matches"
  const complete = root.length <= PERMUTED_MAX && payloads.length <= PERMUTED_MAX
  return complete ? "differs" : "undecided"
}

/** The digest of evidence that announced none: by the same rule, each group in key order. */
export function prefixDigest(files: readonly PrefixFile[]): string {
  const { root, payloads } = groups(files)
  return sha256Hex([...byKey(root), ...byKey(payloads)].map((file) => file.sha256).join(""))
}

async function matchesInAnyOrder(
  root: readonly Digested[],
  payloads: readonly Digested[],
  checksum: string,
): Promise<boolean> {
  let hashedBytes = 0
  for (const order of everyOrder(root)) {
    const start = new Bun.CryptoHasher("sha256").update(order.join(""))
    for (const rest of everyOrder(payloads)) {
      const text = rest.join("")
      if (start.copy().update(text).digest("hex") === checksum) return true
      hashedBytes += text.length
    }
    if (hashedBytes > HASHED_BYTES_MAX) return false
    await new Promise((resolve) => setImmediate(resolve))
  }
  return false
}

/** What lies elsewhere is no part of the evidence: the producer's walk knows two folders. */
function groups(files: readonly PrefixFile[]) {
  const digested = files.map(({ path, modifiedMs, bytes }) => {
    return { path, modifiedMs, sha256: sha256Hex(bytes) }
  })
  return {
    root: digested.filter(({ path }) => !path.includes("/")),
    payloads: digested.filter(({ path }) => /^payloads\/[^/]+$/.test(path)),
  }
}

function* likelyOrders(files: readonly Digested[]): Generator<Order> {
  yield digestsOf(files.toSorted((left, right) => left.modifiedMs - right.modifiedMs))
  const sorted = digestsOf(byKey(files))
  yield sorted
  yield sorted.toReversed()
}

function* everyOrder(files: readonly Digested[]): Generator<Order> {
  if (files.length <= PERMUTED_MAX) {
    yield* permutations(digestsOf(files))
    return
  }
  yield* likelyOrders(files)
  yield* joinedChoices(tiedOrders(files)).take(TIE_ORDERS_MAX)
}

/** The orders of the files of each last-modified time, the times ascending; large ties by key. */
function tiedOrders(files: readonly Digested[]): Order[][] {
  const byTime = Map.groupBy(files, (file) => file.modifiedMs)
  const times = [...byTime].sort(([left], [right]) => left - right)
  return times.map(([, tied]) => {
    const digests = digestsOf(byKey(tied))
    return tied.length > PERMUTED_MAX ? [digests] : [...permutations(digests)]
  })
}

function byKey(files: readonly Digested[]): Digested[] {
  return files.toSorted((left, right) => (left.path < right.path ? -1 : 1))
}

function digestsOf(files: readonly Digested[]): string[] {
  return files.map((file) => file.sha256)
}
