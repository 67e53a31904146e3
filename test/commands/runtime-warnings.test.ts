import { expect, test } from "bun:test"
import { logRuntimeWarnings } from "../../src/commands/runtime-warnings.ts"
import { createLogger } from "../../src/log.ts"

/** One turn of the event loop: warnings come after the code that causes them. */
const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

test("logRuntimeWarnings writes warnings as log lines until it is disposed of", async () => {
  const lines: Record<string, unknown>[] = []
  const log = createLogger({ write: (line) => lines.push(JSON.parse(line)), nowMs: () => 0 })
  const listenersBefore = process.listenerCount("warning")
  const heard = logRuntimeWarnings(log)
  process.emitWarning("too many listeners", "MaxListenersExceededWarning")
  await nextTurn()
  heard[Symbol.dispose]()
  const fields = { name: "MaxListenersExceededWarning", reason: "too many listeners" }
  expect(lines).toMatchObject([{ level: "warn", message: "runtime", ...fields }])
  expect(process.listenerCount("warning")).toBe(listenersBefore)
})
