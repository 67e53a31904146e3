import { join } from "node:path"
import type { AuditHead, AuditHeadStore } from "../ports/sandbox.ts"
import { openEnvironment, readBeside } from "./lmdb.ts"

/** The head of the audit log: one row of `audit-head.mdb`. */

export interface AuditHeadFile extends AuditHeadStore {
  close(): Promise<void>
}

const FILE = "audit-head.mdb"
const TABLE = "head"
const KEY = Buffer.from("sandbox")
const COUNT_BYTES = 8
const HASH_BYTES = 32

/** Opens it for writing: hold the data directory for as long as it is open. */
export function openAuditHead(storeDirectory: string): AuditHeadFile {
  const environment = openEnvironment(join(storeDirectory, FILE), 1)
  const table = environment.table(TABLE)
  return {
    read: () => decodeHead(table.get(KEY)),
    async write(head) {
      const row = encodeHead(head)
      await environment.write(() => void table.put(KEY, row))
    },
    close: () => environment.close(),
  }
}

/** The head as it is now, beside a server that may be writing; undefined where there is none. */
export async function readAuditHead(storeDirectory: string): Promise<AuditHead | undefined> {
  return decodeHead(await readBeside(join(storeDirectory, FILE), { table: TABLE, key: KEY }))
}

function encodeHead({ count, hash }: AuditHead): Buffer {
  const row = Buffer.alloc(COUNT_BYTES)
  row.writeBigUInt64BE(BigInt(count))
  return Buffer.concat([row, Buffer.from(hash, "hex")])
}

/** A row of another length is none of ours: a log without a head is reported by whoever asks. */
function decodeHead(row: Buffer | undefined): AuditHead | undefined {
  if (row?.length !== COUNT_BYTES + HASH_BYTES) return undefined
  const hash = row.subarray(COUNT_BYTES).toString("hex")
  return { count: Number(row.readBigUInt64BE()), hash }
}
