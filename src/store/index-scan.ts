import type { Page } from "../ports.ts"
import { decodeCursor, encodeCursor, TAIL_BYTES, TIME_BYTES } from "./keys.ts"
import type { Table } from "./lmdb.ts"

/** An answer is cut after the item that takes it past this many stored bytes. */
export const PAGE_BYTES_MAX = 16 * 1_048_576

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
}

/**
 * Reads an index, newest first, so that what is written meanwhile never shifts a later page.
 * @throws MalformedError for a bad cursor
 */
export function scanNewestFirst<T>(scan: Scan<T>): Page<T> {
  const after = scan.cursor === undefined ? undefined : decodeCursor(scan.cursor)
  const items: T[] = []
  let last: Buffer | undefined
  let seen = 0
  let bytes = 0
  for (const key of keysNewestFirst(scan, after)) {
    if (last !== undefined && (seen === scan.limit || bytes > PAGE_BYTES_MAX)) {
      return { items, cursor: encodeCursor(last) }
    }
    seen += 1
    last = Buffer.from(key.subarray(scan.prefix.length))
    const loaded = scan.load(last.subarray(TIME_BYTES))
    if (loaded === undefined) continue
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
    // One more than a page, so that the last page is known as such.
    limit: scan.limit + 1,
  })
}
