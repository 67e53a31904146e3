import { afterEach, beforeEach, expect, test } from "bun:test"
import { observeEngine } from "../../src/compose/engine-observer.ts"
import { openModels } from "../../src/compose/models.ts"
import { readConfig } from "../../src/config.ts"
import { createLogger } from "../../src/log.ts"
import type { DeadLetter } from "../../src/stream/types.ts"
import { createTelemetry, type Telemetry } from "../../src/telemetry.ts"
import { operatorContext } from "../support/operator-context.ts"

let telemetry: Telemetry

beforeEach(() => {
  telemetry = createTelemetry({ version: "1.2.3" })
})

afterEach(() => telemetry.close())

async function observed() {
  const lines: Record<string, unknown>[] = []
  const log = createLogger({ write: (line) => lines.push(JSON.parse(line)), nowMs: () => 0 })
  const models = await openModels(readConfig({}))
  return { ...observeEngine({ telemetry, models, log }), lines }
}

const letter = (code: string): DeadLetter => ({
  code,
  operator: "verify_integrity",
  message: "why",
  attempts: 1,
  record: { ...operatorContext().record, value: Buffer.from("the evidence itself") },
  failedAtMs: 0,
})

test("observeEngine logs each dead letter with its reason and place, never its bytes", async () => {
  const { observer, counts, lines } = await observed()
  observer.deadLettered(letter("HASH_MISMATCH"))
  const place = { topic: "test", partition: 0, offset: 0 }
  const why = { code: "HASH_MISMATCH", operator: "verify_integrity", reason: "why" }
  expect(lines).toMatchObject([{ level: "warn", message: "dead letter", ...why, ...place }])
  expect(JSON.stringify(lines)).not.toContain("evidence itself")
  expect(counts.deadLetters).toBe(1)
})

test("observeEngine logs a bug of ours as an error", async () => {
  const { observer, lines } = await observed()
  observer.deadLettered(letter("INTERNAL"))
  expect(lines).toMatchObject([{ level: "error", code: "INTERNAL" }])
})

test("observeEngine logs and counts a file of the inbox that never became a record", async () => {
  const { onRejected, lines } = await observed()
  onRejected({ file: "link.json", code: "FILE_UNREADABLE", message: "not a regular file" })
  const why = { code: "FILE_UNREADABLE", reason: "not a regular file", file: "link.json" }
  expect(lines).toMatchObject([{ level: "warn", ...why }])
  const counted =
    'cerberus_evidence_operations_total{service="sentinel",operation="inbox",status="failed"} 1'
  expect(await telemetry.render()).toContain(counted)
})
