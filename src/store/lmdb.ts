import { chmodSync, existsSync, mkdirSync } from "node:fs"
import { dirname } from "node:path"
import { type Database, open } from "lmdb"
import { UnavailableError } from "../errors.ts"

/** Keys and values are plain bytes: keys sort by memcmp, values are encoded by their store. */
export type Table = Database<Buffer, Buffer>

export interface Environment {
  /**
   * Runs `action` in a write transaction; concurrent calls share one commit and one fdatasync.
   * Resolves once that commit is on disk. An action that throws does not roll back what it wrote,
   * so it must decide before its first write.
   * @throws UnavailableError where the commit fails, as on a full disk; else what `action` threw
   */
  write<T>(action: () => T): Promise<T>
  table(name: string): Table
  /** Bytes of the pages that hold data; the file itself may be larger, for it never shrinks. */
  usedBytes(): number
  /** May be called again: a flow closes its store, and so does whoever opened it. */
  close(): Promise<void>
}

const PAGE_BYTES = 4_096
const BYTES = { encoding: "binary", keyEncoding: "binary" } as const

interface PageCounts {
  readonly pageSize: number
  readonly treeBranchPageCount: number
  readonly treeLeafPageCount: number
  readonly overflowPages: number
}

/**
 * Opens one LMDB file, readable by its owner alone. At most one process may write to it: hold the
 * data directory (`ownDataDirectory`) for as long as it is open.
 *
 * @param tablesMax how many tables the file may ever have
 */
export function openEnvironment(path: string, tablesMax: number): Environment {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const root = open<Buffer, Buffer>({
    path,
    noSubdir: true,
    maxDbs: tablesMax,
    pageSize: PAGE_BYTES,
    // Synced before the commit returns: kill -9 and power loss cost no acknowledged write.
    overlappingSync: false,
  })
  chmodSync(path, 0o600)
  chmodSync(`${path}-lock`, 0o600)
  const tables: Table[] = []
  let closed: Promise<void> | undefined
  return {
    write: (action) => committed(root, action),
    table(name) {
      const table = root.openDB<Buffer, Buffer>(name, BYTES)
      tables.push(table)
      return table
    },
    usedBytes() {
      // Else the counts are those of the snapshot that an earlier read left open.
      root.resetReadTxn()
      return tables.reduce((sum, table) => sum + bytesOf(table), 0)
    },
    close() {
      closed ??= root.close()
      return closed
    },
  }
}

async function committed<T>(root: Pick<Table, "transaction">, action: () => T): Promise<T> {
  let thrown: { readonly error: unknown } | undefined
  try {
    return await root.transaction(() => {
      try {
        return action()
      } catch (error) {
        thrown = { error }
        throw error
      }
    })
  } catch (error) {
    throw thrown === undefined ? new UnavailableError("the store", error) : thrown.error
  }
}

/**
 * The value of one key, read beside whoever writes to the file; undefined where the file, the table
 * or the key does not exist.
 */
export async function readBeside(
  path: string,
  { table, key }: { readonly table: string; readonly key: Buffer },
): Promise<Buffer | undefined> {
  if (!existsSync(path)) return undefined
  const root = open<Buffer, Buffer>({ path, noSubdir: true, readOnly: true, pageSize: PAGE_BYTES })
  try {
    return root.openDB<Buffer, Buffer>(table, BYTES)?.get(key)
  } finally {
    await root.close()
  }
}

export function countEntries(table: Table): number {
  return (table.getStats() as { entryCount: number }).entryCount
}

/** Keys of a range, copied out: removing while the range is read would move its cursor. */
export function keysOf(table: Table, range: Parameters<Table["getKeys"]>[0]): readonly Buffer[] {
  return Array.from(table.getKeys(range), (key) => Buffer.from(key))
}

/** What a value occupies: LMDB keeps larger ones in whole pages of their own. */
export function storedBytes(value: Buffer): number {
  return Math.ceil(value.length / PAGE_BYTES) * PAGE_BYTES
}

function bytesOf(table: Table): number {
  const pages = table.getStats() as PageCounts
  return (
    pages.pageSize * (pages.treeBranchPageCount + pages.treeLeafPageCount + pages.overflowPages)
  )
}
