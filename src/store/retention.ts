import { readTime, TIME_BYTES } from "./keys.ts"
import type { Environment, Table } from "./lmdb.ts"

export interface RetentionOptions {
  readonly retentionMs: number
  /** Bytes of data from which the oldest rows go, whatever their age. */
  readonly bytesMax: number
}

/** Rows that one transaction removes: it keeps the writers waiting, so it is short. */
const SWEEP_ROWS_MAX = 500
/** Sweeping a little below the cap avoids a sweep for every write that follows. */
const FILL_TARGET = 0.95

export interface Retained {
  readonly environment: Environment
  /** Keys are time of arrival + digest, oldest first. */
  readonly byArrival: Table
  /** Removes a row and its other index entries inside a transaction; returns the bytes freed. */
  remove(digest: Buffer): number
}

/**
 * Removes what is older than the retention time, then the oldest rows above the size cap.
 * @returns how many rows went
 */
export async function sweep(rows: Retained, options: RetentionOptions, nowMs: number) {
  const expiredBefore = nowMs - options.retentionMs
  let removed = 0
  // Ends with the table: every round but the last two removes SWEEP_ROWS_MAX of its rows.
  for (;;) {
    const batch = await rows.environment.write(() => removeExpired(rows, expiredBefore))
    removed += batch
    if (batch < SWEEP_ROWS_MAX) break
  }
  while (rows.environment.usedBytes() > options.bytesMax) {
    const excess = rows.environment.usedBytes() - options.bytesMax * FILL_TARGET
    const batch = await rows.environment.write(() => removeOldest(rows, excess))
    removed += batch
    if (batch === 0) break
  }
  return removed
}

function removeExpired(rows: Retained, expiredBefore: number): number {
  let removed = 0
  for (const key of oldestKeys(rows)) {
    if (readTime(key) >= expiredBefore) break
    void rows.byArrival.remove(key)
    rows.remove(key.subarray(TIME_BYTES))
    removed += 1
  }
  return removed
}

function removeOldest(rows: Retained, bytes: number): number {
  let freed = 0
  let removed = 0
  for (const key of oldestKeys(rows)) {
    if (freed >= bytes) break
    void rows.byArrival.remove(key)
    freed += rows.remove(key.subarray(TIME_BYTES))
    removed += 1
  }
  return removed
}

/** Copied out first: removing while a range is read would move its cursor. */
function oldestKeys(rows: Retained): Buffer[] {
  return Array.from(rows.byArrival.getKeys({ limit: SWEEP_ROWS_MAX }), (key) => Buffer.from(key))
}
