import { Type } from "@sinclair/typebox"
import { MODEL_STATES } from "../model-traffic.ts"
import { TIERS, type Tier } from "./model-operations.ts"

/** The shapes of requests and answers about models. */

const NAME_CHARACTERS_MAX = 256
const REASON_CHARACTERS_MAX = 256
const PAYLOAD_CHARACTERS_MAX = 65_536
const percent = Type.Number({
  minimum: 0,
  maximum: 100,
  description: "share of the sessions: 0 = in the shadow, 100 = live",
})
const optionalReason = Type.Optional(
  Type.String({ maxLength: REASON_CHARACTERS_MAX, description: "kept among the transitions" }),
)

export const promoteRequest = Type.Object({
  model_id: Type.String({ minLength: 1, maxLength: NAME_CHARACTERS_MAX }),
  canary_percent: percent,
  auto: Type.Optional(
    Type.Boolean({ description: "go from 1 to 10 to 100 percent by itself, unless a guard trips" }),
  ),
  reason: optionalReason,
})

export const rollbackRequest = Type.Object({
  reason: optionalReason,
  tier: Type.Optional(
    Type.Unsafe<Tier>(
      Type.String({
        pattern: `^(?:${TIERS.join("|")})$`,
        description: "deep = take the second tier away; default fast",
      }),
    ),
  ),
})

const figure = Type.Union([Type.Number(), Type.Null()])
const judgedSet = Type.Union([
  Type.Object({ set: Type.String(), rows: Type.Number(), attacks: Type.Number() }),
  Type.Null(),
])
const comparison = Type.Object(
  {
    live: Type.String({ description: "the model that is live, or was when this one was promoted" }),
    figures: Type.Record(Type.String(), Type.Object({ model: figure, live: figure })),
    judged_on: Type.Object({ model: judgedSet, live: judgedSet }),
    warnings: Type.Array(Type.String(), { description: "what speaks against the model" }),
  },
  { description: "registered figures of both, side by side" },
)

const modelState = Type.String({ enum: [...MODEL_STATES] })
export const modelChangeAnswer = Type.Object({
  status: Type.Literal("success"),
  model_id: Type.String({ description: "the model that was changed, or is live again" }),
  state: modelState,
  canary_percent: Type.Number(),
  promoted_at: Type.Optional(Type.String()),
  rolled_back_at: Type.Optional(Type.String()),
  compared_with_live: Type.Optional(comparison),
})

const model = Type.Object({
  model_id: Type.String(),
  model_type: Type.String(),
  trained_at: Type.String(),
  training_samples: Type.Number(),
  validation_samples: Type.Number(),
  metrics: Type.Record(Type.String(), Type.Number()),
  can_promote: Type.Boolean(),
  promotion_reason: Type.String(),
  status: modelState,
  canary_percent: Type.Number(),
  origin: Type.String({ enum: ["shipped", "registered"] }),
})
export const modelsAnswer = Type.Object({ models: Type.Array(model) })
export const modelAnswer = Type.Composite([
  model,
  Type.Object({
    card: Type.String({ description: "Markdown" }),
    gates: Type.Unknown(),
    lineage: Type.Object({}),
    transitions: Type.Array(Type.Object({}), { description: "oldest first" }),
    compared_with_live: Type.Union([comparison, Type.Null()]),
    traffic: Type.Union([Type.Object({}), Type.Null()], {
      description: "counts since it was loaded; agreement and disagreements of a trial",
    }),
  }),
])

export const modelHealthAnswer = Type.Object({
  status: Type.Union([Type.Literal("healthy"), Type.Literal("degraded")]),
  model: Type.String({ description: "the live model" }),
  circuit_breaker: Type.Object({
    open: Type.Boolean(),
    state: Type.String({ enum: ["closed", "half-open", "open"] }),
    recent_error_rate: Type.Number({ minimum: 0, maximum: 1, description: "of recent calls" }),
  }),
  cache: Type.Object({
    size: Type.Number(),
    max_size: Type.Number(),
    hits: Type.Number(),
    misses: Type.Number(),
  }),
  canary_percent: Type.Number(),
  models: Type.Array(Type.Object({})),
  trial: Type.Union([Type.Object({}), Type.Null()]),
  second_tier: Type.Union([Type.Object({}), Type.Null()], {
    description: "null where the fast tier answers alone",
  }),
})

export const falsePositiveRequest = Type.Object({
  sample: Type.Object({
    payload: Type.String({ minLength: 1, maxLength: PAYLOAD_CHARACTERS_MAX }),
    original_label: Type.Optional(Type.String({ maxLength: NAME_CHARACTERS_MAX })),
    session_id: Type.Optional(Type.String({ maxLength: NAME_CHARACTERS_MAX })),
    notes: Type.Optional(Type.String({ maxLength: 2_000 })),
  }),
  reviewer: Type.String({ minLength: 1, maxLength: NAME_CHARACTERS_MAX }),
})

export const sampleAnswer = Type.Object({ status: Type.String(), message: Type.String() })
