import { expect, test } from "bun:test"
import { announceDecisions } from "../../../src/compose/models/model-announcements.ts"
import { UnavailableError } from "../../../src/errors.ts"
import { createLogger } from "../../../src/log.ts"
import type { ModelDecision } from "../../../src/model-traffic.ts"
import type { AuditLog } from "../../../src/ports/sandbox.ts"

const TAKEN_BACK: ModelDecision = {
  ...{ modelId: "m/2", from: "canary", to: "retired", percent: 0, guard: "errors" },
  ...{ at: "2026-01-01T00:00:00.000Z", reason: "errors: 9 of 10", live: "m/1", revision: 4 },
}

function announcing(append: AuditLog["append"]) {
  const [counted, logged]: [string[], string[]] = [[], []]
  const announce = announceDecisions({
    audit: { append },
    log: createLogger({ write: (line) => logged.push(line), nowMs: () => 0 }),
    telemetry: { modelRolledBack: (guard) => counted.push(guard) },
  })
  return { announce, counted, logged }
}

test("announceDecisions writes each decision into the audit log, and counts what guards took back", () => {
  const entries: unknown[] = []
  const { announce, counted } = announcing(async (eventType, data) => {
    entries.push([eventType, data])
    return {} as Awaited<ReturnType<AuditLog["append"]>>
  })
  const back: ModelDecision = { ...TAKEN_BACK, modelId: "m/1", from: "retired", to: "live" }
  announce([TAKEN_BACK, back, { ...TAKEN_BACK, guard: undefined }])
  expect(entries[0]).toEqual([
    "model",
    {
      ...{ model_id: "m/2", from: "canary", to: "retired", canary_percent: 0 },
      ...{ reason: "errors: 9 of 10", guard: "errors", live: "m/1", revision: 4 },
    },
  ])
  expect([entries.length, counted]).toEqual([3, ["errors"]])
})

test("announceDecisions says aloud what the audit log has not", async () => {
  const refused = Promise.reject(new UnavailableError("the audit log"))
  const { announce, logged } = announcing(() => refused)
  announce([TAKEN_BACK])
  await refused.catch(() => undefined)
  await Promise.resolve()
  expect(logged.join()).toContain("a decision about a model is missing in the audit log")
})
