import { expect, test } from "bun:test"
import { appendFile, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { openSandboxAudit } from "../../src/compose/audit-log.ts"
import { createLogger } from "../../src/log.ts"
import type { AuditLog } from "../../src/ports/sandbox.ts"
import { ownDataDirectory } from "../../src/store/data-directory.ts"

test("openSandboxAudit refuses to append to a log that was changed, says where, and opens the rest", async () => {
  const directory = await mkdtemp(join(tmpdir(), "audit-"))
  await using stack = new AsyncDisposableStack()
  stack.defer(() => rm(directory, { recursive: true }))
  const owned = ownDataDirectory(directory)
  stack.defer(() => owned.release())
  const noted: string[] = []
  const log = createLogger({ write: (line) => void noted.push(line), nowMs: () => 0 })
  const open = async (work: (audit: AuditLog) => Promise<void>) => {
    await using opened = new AsyncDisposableStack()
    await work(await openSandboxAudit({ paths: owned.paths, log }, opened))
  }
  await open(async (audit) => {
    expect((await audit.append("panic", { reason: "drill" })).sequence).toBe(1)
  })
  await open(async (audit) => {
    expect((await audit.append("resume", {})).sequence).toBe(2)
  })
  expect(noted).toEqual([])
  await appendFile(join(owned.paths.audit, "sandbox-audit.jsonl"), "{}\n")
  await open(async (audit) => {
    await expect(audit.append("run", {})).rejects.toMatchObject({ code: "AUDIT_LOG_BROKEN" })
  })
  expect(noted.join("")).toContain("sandbox-audit.jsonl:3")
})
