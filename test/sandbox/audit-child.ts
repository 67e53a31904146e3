import { systemClock } from "../../src/clock.ts"
import { publicError } from "../../src/errors.ts"
import { openAuditLog } from "../../src/sandbox/audit-log.ts"
import { openAuditHead } from "../../src/store/audit-head.ts"
import { ownDataDirectory } from "../../src/store/data-directory.ts"

// Appends as fast as it can, several at once; prints a hash once its append has resolved, until it is
// killed, and the code of the first refusal.
const { paths } = ownDataDirectory(process.argv[2] ?? "")
const heads = openAuditHead(paths.store)
const log = await openAuditLog({
  directory: paths.audit,
  heads,
  clock: systemClock,
  fileBytesMax: Number(process.argv[3] ?? 100_000),
})
try {
  for (let index = 0; ; index += 1) {
    const appends = [0, 1, 2].map((part) =>
      log.append("run", { index, part, note: "x".repeat(index % 300) }),
    )
    for (const { hash } of await Promise.all(appends)) process.stdout.write(`${hash}\n`)
  }
} catch (error) {
  process.stdout.write(`${publicError(error).code}\n`)
  await log.close()
  process.exit(0)
}
