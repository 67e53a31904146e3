import type { AuditHead, AuditHeadStore, AuditLog } from "../../src/ports/sandbox.ts"
import { openAuditLog } from "../../src/sandbox/audit-log.ts"
import { type AuditVerification, verifyAudit } from "../../src/sandbox/audit-verify.ts"

/** A head that is kept in memory; it can be told to fail. */
export class MemoryHeads implements AuditHeadStore {
  kept: AuditHead | undefined
  failure: Error | undefined

  read(): AuditHead | undefined {
    return this.kept
  }

  async write(head: AuditHead): Promise<void> {
    if (this.failure !== undefined) throw this.failure
    this.kept = head
  }
}

/** Time that moves by one millisecond whenever somebody looks. */
export function tickingClock(startMs = Date.UTC(2026, 0, 1)) {
  let nowMs = startMs
  return { nowMs: () => nowMs++ }
}

export function openTestLog(
  directory: string,
  heads: AuditHeadStore,
  fileBytesMax = 1_048_576,
  filesMax = 1_000,
): Promise<AuditLog> {
  return openAuditLog({ directory, heads, clock: tickingClock(), fileBytesMax, filesMax })
}

/** Verifies with a head that nobody moves meanwhile. */
export function verify(
  directory: string,
  heads: AuditHeadStore,
  notedHash?: string,
): Promise<AuditVerification> {
  const noted = notedHash === undefined ? {} : { notedHash }
  const sleep = () => Promise.resolve()
  return verifyAudit(directory, { readHead: async () => heads.read(), sleep, ...noted })
}
