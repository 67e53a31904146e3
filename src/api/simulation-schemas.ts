import { Type } from "@sinclair/typebox"
import { SIMULATED_CLASSES, TWIN_LIMITS } from "../twin-protocol.ts"

/** The shapes of what is asked about simulations and the sandbox. */

const TEXT_MAX = 512
const REASON_MAX = 200

export const simulateRequest = Type.Object({
  payload: Type.Object({
    type: Type.Unsafe<(typeof SIMULATED_CLASSES)[number]>(
      Type.String({ pattern: `^(?:${SIMULATED_CLASSES.join("|")})$` }),
    ),
    value: Type.String({
      minLength: 1,
      maxLength: TWIN_LIMITS.payloadBytesMax,
      description: `at most ${TWIN_LIMITS.payloadBytesMax} bytes of UTF-8`,
    }),
    location: Type.Optional(
      Type.Union([Type.String({ maxLength: TEXT_MAX }), Type.Null()], {
        description: "where it stood, e.g. query:q, path:2, cookie:theme",
      }),
    ),
  }),
  metadata: Type.Optional(
    Type.Union([Type.Object({}, { description: "session_id is kept" }), Type.Null()]),
  ),
})

export const simulateAnswer = Type.Object({
  job_id: Type.String(),
  status: Type.String(),
  message: Type.String(),
})

const result = Type.Object({
  verdict: Type.String({ description: "exploit_possible, exploit_improbable or inconclusive" }),
  reason: Type.Optional(Type.String()),
  attack_type: Type.String(),
  exploit_score: Type.Number({ minimum: 0, maximum: 1 }),
  score_derivation: Type.Array(Type.Object({ reason: Type.String(), score: Type.Number() })),
  severity: Type.Number({ minimum: 0, maximum: 10 }),
  signals: Type.Array(Type.Object({})),
  proof: Type.Optional(Type.Object({})),
  minimised_payload: Type.Optional(Type.String()),
  evidence: Type.Array(Type.String()),
  reproduction_steps: Type.Array(Type.String()),
  techniques: Type.Array(Type.String(), { description: "MITRE ATT&CK" }),
  execution_time_ms: Type.Number(),
  driver: Type.Object({ name: Type.String() }),
})

export const simulationAnswer = Type.Object({
  job_id: Type.String(),
  status: Type.String({ description: "queued, running, completed or failed" }),
  session_id: Type.String(),
  event_id: Type.Optional(Type.String()),
  payload: Type.Object({ type: Type.String(), value: Type.String() }),
  queued_at: Type.String(),
  started_at: Type.Optional(Type.String()),
  completed_at: Type.Optional(Type.String()),
  error: Type.Optional(Type.Object({ code: Type.String(), message: Type.String() })),
  result: Type.Optional(result),
})

export const simulationsAnswer = Type.Object({
  simulations: Type.Array(simulationAnswer),
  count: Type.Number({ description: "items of this page" }),
  cursor: Type.Union([Type.String(), Type.Null()], { description: "null on the last page" }),
})

export const panicRequest = Type.Object({
  reason: Type.Optional(Type.String({ maxLength: REASON_MAX, description: "for the audit log" })),
})

export const panicAnswer = Type.Object({
  status: Type.String({ description: "panicked, or incomplete where something is left" }),
  message: Type.String(),
  timestamp: Type.String(),
  destroyed: Type.Number(),
  left: Type.Array(Type.String()),
})

export const resumeAnswer = Type.Object({
  status: Type.String(),
  message: Type.String(),
  timestamp: Type.String(),
})

export const sandboxAnswer = Type.Object({
  driver: Type.String({ description: "docker, bubblewrap or none" }),
  runtime: Type.Union([Type.String(), Type.Null()]),
  image_digest: Type.Union([Type.String(), Type.Null()]),
  limits: Type.Record(Type.String(), Type.Number()),
  notes: Type.Array(Type.String()),
  panicked: Type.Boolean(),
  pool: Type.Record(
    Type.String(),
    Type.Object({ ready: Type.Number(), busy: Type.Number(), replaced: Type.Number() }),
  ),
  audit: Type.Object({ count: Type.Number(), hash: Type.String() }),
})

export const auditLogAnswer = Type.Object({
  entries: Type.Array(
    Type.Object({ timestamp: Type.String(), event_type: Type.String(), data: Type.Object({}) }),
  ),
  count: Type.Number(),
  head: Type.Object({ count: Type.Number(), hash: Type.String() }),
})
