import { Type } from "@sinclair/typebox"
import { SIMULATED_CLASSES, TWIN_LIMITS } from "../twin-protocol.ts"

/** The shapes of what is asked about rules. */

const TEXT_MAX = 512
const NOTE_MAX = 500
const ID = Type.String({ minLength: 1, maxLength: 64, description: "[A-Za-z0-9_-]" })

export const proposeRequest = Type.Object({
  payload: Type.Object({
    type: Type.Unsafe<(typeof SIMULATED_CLASSES)[number]>(
      Type.String({ pattern: `^(?:${SIMULATED_CLASSES.join("|")})$` }),
    ),
    value: Type.String({ minLength: 1, maxLength: TWIN_LIMITS.payloadBytesMax }),
    location: Type.Optional(Type.Union([Type.String({ maxLength: TEXT_MAX }), Type.Null()])),
    confidence: Type.Optional(Type.Union([Type.Number({ minimum: 0, maximum: 1 }), Type.Null()])),
  }),
  sim_result: Type.Object({
    verdict: Type.String({
      maxLength: TEXT_MAX,
      description: "only exploit_possible makes a rule",
    }),
    simulation_id: Type.Optional(Type.Union([Type.String({ maxLength: TEXT_MAX }), Type.Null()])),
    severity: Type.Optional(Type.Union([Type.Number({ minimum: 0, maximum: 10 }), Type.Null()])),
  }),
  profile: Type.Optional(Type.Union([Type.Object({}), Type.Null()])),
})

const review = {
  reviewer: Type.String({ minLength: 1, maxLength: TEXT_MAX, description: "kept in the history" }),
  note: Type.Optional(Type.String({ maxLength: NOTE_MAX })),
}

export const applyRequest = Type.Object({
  rule_id: ID,
  force: Type.Optional(
    Type.Boolean({ description: "true = a person decides, whatever the policy says" }),
  ),
  ...review,
  reviewer: Type.Optional({ ...review.reviewer, description: "who forces it; default api" }),
})

export const reviewRequest = Type.Object(review)

const rule = Type.Object({
  rule_id: Type.String(),
  priority: Type.Integer(),
  match: Type.Object({ type: Type.String(), pattern: Type.String() }),
  action: Type.String({ description: "block, challenge, tag or log" }),
  confidence: Type.Number({ minimum: 0, maximum: 1 }),
  expires_at: Type.String(),
  audit: Type.Object({}, { description: "where it comes from and what was measured" }),
})

const taken = {
  still_enforced: Type.Integer({
    description: "rules that were taken out and that Gatekeeper still has, or may have",
  }),
  gatekeeper: Type.String({ description: "answers, silent (nobody could look) or not_configured" }),
}

const storedRule = {
  rule,
  state: Type.String(),
  history: Type.Array(Type.Object({ state: Type.String(), at: Type.String(), by: Type.String() })),
}

export const ruleAnswer = Type.Object(storedRule)

export const reviewAnswer = Type.Object({ ...storedRule, ...taken })

export const rulesAnswer = Type.Object({
  rules: Type.Array(rule),
  count: Type.Integer(),
  cursor: Type.Union([Type.String(), Type.Null()]),
})

export const proposeAnswer = Type.Object({
  rule,
  message: Type.String(),
  recommendation: Type.String({ description: "auto_apply or manual_review" }),
})

export const decisionAnswer = Type.Object({
  decision: Type.String({ description: "auto_applied, pending_review or logged_only" }),
  reason: Type.String(),
  rule_id: Type.String(),
  confidence: Type.Number(),
})

export const driftAnswer = Type.Object({
  reachable: Type.Boolean(),
  missing: Type.Array(Type.String()),
  changed: Type.Array(Type.String()),
  surplus: Type.Array(Type.String()),
  foreign: Type.Array(Type.String(), {
    description: "active under Sentinel's name and not of this one: left alone",
  }),
  failures: Type.Array(Type.String()),
})

export const withdrawAnswer = Type.Object({ withdrawn: Type.Integer(), ...taken })
