import type { Page } from "../ports.ts"
import { decodeCursor, encodeCursor, TAIL_BYTES, TIME_BYTES } from "./keys.ts"
import type { Table } from "./lmdb.ts"

/** A page ends after the item that takes it past this many stored bytes. */
const PAGE_BYTES_MAX = 16 * 1_048_576
/** Entries that one page looks at: where few are wanted, its cursor leads on from there. */
const SCANNED_MAX = 10_000

export interface Scan<T> {
  /** Keys are `prefix` + time + digest; values are empty. */
  readonly index: Table
  readonly prefix: Buffer
  /** Lowest time wanted, as `timeKey`; empty = from the first. */
  readonly since: Buffer
  readonly limit: number
  readonly cursor: string | undefined
  /** The item of an index entry, by the digest at its end; undefined where it is gone. */
  load(digest: Buffer): { readonly item: T; readonly bytes: number } | undefined
  isWanted?(item: T): boolean
}

/**
 * Reads an index, newest first, so that what is written meanwhile never shifts a later page.
 * @throws MalformedError for a bad cursor
 */
export function scanNewestFirst<T>(scan: Scan<T>): Page<T> {
  const after = scan.cursor === undefined ? undefined : decodeCursor(scan.cursor)
  const items: T[] = []
  let last: Buffer | undefined
  let scanned = 0
  let bytes = 0
  for (const key of keysNewestFirst(scan, after)) {
    const isFull = items.length === scan.limit || bytes > PAGE_BYTES_MAX
    if (last !== undefined && (isFull || scanned === SCANNED_MAX)) {
      return { items, cursor: encodeCursor(last) }
    }
    scanned += 1
    last = Buffer.from(key.subarray(scan.prefix.length))
    const loaded = scan.load(last.subarray(TIME_BYTES))
    if (loaded === undefined || scan.isWanted?.(loaded.item) === false) continue
    items.push(loaded.item)
    bytes += loaded.bytes
  }
  return { items, cursor: undefined }
}

function keysNewestFirst<T>(scan: Scan<T>, after: Buffer | undefined): Iterable<Buffer> {
  const highest = after ?? Buffer.alloc(TAIL_BYTES, 0xff)
  return scan.index.getKeys({
    start: Buffer.concat([scan.prefix, highest]),
    exclusiveStart: true,
    end: Buffer.concat([scan.prefix, scan.since]),
    reverse: true,
  })
}
