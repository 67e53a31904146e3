import { type Static, type TSchema, Type } from "@sinclair/typebox"
import { TypeCompiler, type ValueError } from "@sinclair/typebox/compiler"
import { MalformedError } from "../errors.ts"
import { PAYLOAD_KINDS } from "../events.ts"
import { TIERS, type Tier } from "./model-operations.ts"

/** The shapes of requests and answers: they check what comes in and write the OpenAPI document. */

export type Schema = TSchema

const NAME_CHARACTERS_MAX = 256
const PATH_CHARACTERS_MAX = 8_192
const FEATURES_MAX = 1_000
export const PREDICT_BATCH_MAX = 1_000

/** A missing optional field and a null one mean the same. */
function optionalText(description: string, maxLength = NAME_CHARACTERS_MAX) {
  return Type.Optional(Type.Union([Type.String({ maxLength }), Type.Null()], { description }))
}

const verdictWord = Type.Union([
  Type.Literal("simulate"),
  Type.Literal("tag"),
  Type.Literal("benign"),
])
const unit = (description: string) => Type.Number({ minimum: 0, maximum: 1, description })
const numbersByName = (description: string) =>
  Type.Record(Type.String(), Type.Number(), { description, maxProperties: FEATURES_MAX })

const tier = Type.Unsafe<Tier>(
  Type.String({
    pattern: `^(?:${TIERS.join("|")})$`,
    description: "deep = ask the second tier in any case, fast = in none",
  }),
)

export const predictRequest = Type.Object({
  payload: Type.String({ description: "one text that an attacker could have chosen" }),
  context: Type.Optional(
    Type.Object({
      kind: Type.Optional(
        Type.Unsafe<(typeof PAYLOAD_KINDS)[number]>(
          Type.String({ pattern: `^(?:${PAYLOAD_KINDS.join("|")})$` }),
        ),
      ),
      param: optionalText("name of the parameter that held the payload"),
      path: optionalText("path of the request", PATH_CHARACTERS_MAX),
      method: optionalText("method of the request"),
      content_type: optionalText("content type of the body that held the payload"),
      session_id: optionalText("session of the request"),
    }),
  ),
  tier: Type.Optional(tier),
  explain: Type.Optional(
    Type.Boolean({ description: "true adds the spans that drove the answer, and the signatures" }),
  ),
})
export type PredictRequest = Static<typeof predictRequest>

export const predictBatchRequest = Type.Object({
  payloads: Type.Array(Type.Unknown(), {
    minItems: 1,
    maxItems: PREDICT_BATCH_MAX,
    description: "texts, or objects as predict-payload takes them",
  }),
  tier: Type.Optional(tier),
  explain: Type.Optional(Type.Boolean({ description: "as for predict-payload, for all of them" })),
})

export const enrichment = Type.Object({
  tags: Type.Optional(
    Type.Array(Type.String({ maxLength: NAME_CHARACTERS_MAX }), { maxItems: 1_000 }),
  ),
  meta: Type.Optional(Type.Object({}, { description: "attacker_ip, is_tor, is_vpn and the like" })),
})

/** Only for the document: the evidence itself is passed on as the bytes that came. */
export const evidenceRequest = Type.Object({
  evidence: Type.Object(
    {},
    { description: "session_id, har, extracted_payloads, signed_manifest" },
  ),
  enrichment: Type.Optional(enrichment),
})

export const explainRequest = Type.Object({
  features: numbersByName("any subset of the features, by name"),
  verdict: Type.Union([verdictWord, Type.Object({ verdict: verdictWord })]),
})

export const profileRequest = Type.Object({
  session_id: Type.String({ minLength: 1, maxLength: NAME_CHARACTERS_MAX }),
  captures: Type.Unknown({ description: "a HAR log, its entries or an evidence document" }),
})

export const predictAnswer = Type.Object({
  class: Type.String(),
  confidence: unit("calibrated probability of the class"),
  probabilities: Type.Record(Type.String(), unit("probability"), { description: "sums to 1" }),
  method: Type.Union([Type.Literal("ml"), Type.Literal("rules"), Type.Literal("degraded")]),
  model: Type.String(),
  cached: Type.Boolean(),
  degraded: Type.Optional(
    Type.Boolean({ description: "true where a model that was to answer did not" }),
  ),
  second_model: Type.Optional(
    Type.String({ description: "the model of the second tier, where it had a say" }),
  ),
  spans: Type.Optional(
    Type.Array(
      Type.Object({
        start: Type.Number({ description: "in the payload, UTF-16 units" }),
        end: Type.Number({ description: "exclusive" }),
        text: Type.String(),
        shap_value: Type.Number({ description: "log-odds, exact Shapley value" }),
      }),
      { description: "with explain: weightiest first" },
    ),
  ),
  signatures: Type.Optional(
    Type.Object(
      {
        class: Type.String({ description: "what the rules alone say" }),
        agrees: Type.Boolean(),
        matched: Type.Array(Type.String()),
      },
      { description: "with explain" },
    ),
  ),
})

export const predictBatchAnswer = Type.Object({
  results: Type.Array(Type.Object({}), {
    description: "in the order of the payloads: an answer, or `error` with code and field",
  }),
  count: Type.Integer(),
  failed: Type.Integer({ description: "results that are errors" }),
})

const profile = Type.Object({
  action_sequence: Type.Array(Type.String()),
  action_count: Type.Number(),
  ttps: Type.Array(Type.String(), { description: "MITRE ATT&CK technique ids" }),
  intent: Type.String(),
  sophistication_score: Type.Number({ minimum: 0, maximum: 10 }),
  duration_seconds: Type.Number(),
  unique_endpoints: Type.Number(),
  tool_signatures: Type.Array(Type.String()),
  summary: Type.String(),
})

const verdict = Type.Object({
  event_id: Type.String(),
  session_id: Type.String(),
  timestamp: Type.String(),
  timestamp_source: Type.String({
    description: "event, evidence, or arrival where neither holds a time",
  }),
  verdict: verdictWord,
  final_score: unit("combined score"),
  payload_predictions: Type.Array(Type.Object({})),
  behavioral_score: unit("score of the behaviour"),
  features: numbersByName("every feature of the table"),
  integrity: Type.String(),
  degraded: Type.Boolean(),
  profile,
})

export const explanationAnswer = Type.Object({
  session_id: Type.String(),
  verdict: verdictWord,
  final_score: Type.Number(),
  base_value: Type.Number(),
  narrative: Type.String(),
  feature_importances: Type.Array(
    Type.Object({ feature: Type.String(), value: Type.Number(), importance: Type.Number() }),
    { description: "base_value + all importances = final_score" },
  ),
  shap_summary: Type.Object({}),
  top_contributors: Type.Array(Type.Object({})),
  top_contradictors: Type.Array(Type.Object({})),
  generated_at: Type.String(),
})

export const analyzeAnswer = Type.Object({ verdict, explanation: explanationAnswer })
export const evidenceAnswer = Type.Object({ status: Type.String(), event_id: Type.String() })
const sessionProfile = Type.Object({ session_id: Type.String(), profile })
export const profileAnswer = sessionProfile

const page = {
  count: Type.Number({ description: "items of this page" }),
  cursor: Type.Union([Type.String(), Type.Null()], { description: "null on the last page" }),
}
export const verdictsAnswer = Type.Object({ verdicts: Type.Array(verdict), ...page })
export const profilesAnswer = Type.Object({ profiles: Type.Array(sessionProfile), ...page })

export const statsAnswer = Type.Object({
  verdicts: Type.Object({ simulate: Type.Number(), tag: Type.Number(), benign: Type.Number() }),
  verdicts_stored: Type.Union([Type.Number(), Type.Null()]),
  dead_letters: Type.Number(),
  uptime_seconds: Type.Number(),
  engine: Type.Record(Type.String(), Type.Number()),
  models: Type.Array(Type.String()),
  version: Type.String(),
})

const textOrNull = Type.Union([Type.String(), Type.Null()])
const deadLetter = Type.Object({
  id: Type.String({ description: "sha256 of topic, NUL and value" }),
  code: Type.String(),
  operator: Type.String(),
  message: Type.String(),
  attempts: Type.Number(),
  failed_at: Type.String(),
  state: Type.String({ description: "open, redriven, resolved or failed_again" }),
  redrives: Type.Number(),
  redriven_at: textOrNull,
  settled_at: textOrNull,
  topic: Type.String(),
  partition: Type.Number(),
  offset: Type.String(),
  key: textOrNull,
  headers: Type.Record(Type.String(), Type.String()),
  received_at: Type.String(),
  value_bytes: Type.Number(),
})
export const deadLettersAnswer = Type.Object({ dead_letters: Type.Array(deadLetter), ...page })
export const deadLetterAnswer = Type.Composite([
  deadLetter,
  Type.Object({ value_base64: Type.String({ description: "the original bytes" }) }),
])

const LETTERS_MAX = 1_000
export const redriveRequest = Type.Object({
  ids: Type.Optional(
    Type.Array(Type.String({ pattern: "^[0-9a-f]{64}$" }), {
      maxItems: 500,
      description: "these letters; without it those that the filters find",
    }),
  ),
  code: Type.Optional(Type.String({ maxLength: NAME_CHARACTERS_MAX })),
  since: Type.Optional(Type.String({ maxLength: NAME_CHARACTERS_MAX })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: LETTERS_MAX })),
  cursor: Type.Optional(Type.String({ maxLength: NAME_CHARACTERS_MAX })),
  again: Type.Optional(Type.Boolean({ description: "also letters that were put back before" })),
})
export const redriveAnswer = Type.Object({
  redriven: Type.Array(Type.String()),
  skipped: Type.Array(Type.String(), { description: "put back before" }),
  failed: Type.Array(
    Type.Object({ id: Type.String(), code: Type.String(), message: Type.String() }),
  ),
  complete: Type.Boolean({ description: "false = ask again, with the cursor if there is one" }),
  cursor: textOrNull,
})

export const topologyAnswer = Type.Object({
  name: Type.String(),
  nodes: Type.Array(Type.Object({ id: Type.String(), kind: Type.String(), note: Type.String() })),
  edges: Type.Array(Type.Object({ from: Type.String(), to: Type.String() })),
})

export const healthAnswer = Type.Object({ status: Type.String(), version: Type.String() })
export const readyAnswer = Type.Object({
  status: Type.String(),
  reasons: Type.Array(Type.String()),
})

export const errorAnswer = Type.Object({
  error: Type.Object({
    code: Type.String(),
    message: Type.String(),
    field: Type.Optional(Type.String()),
  }),
  request_id: Type.String(),
})

/**
 * Compiles a schema into a check that answers the value, typed.
 * @throws {MalformedError} naming the first field that does not fit
 */
export function createReader<S extends TSchema>(schema: S): (value: unknown) => Static<S> {
  const compiled = TypeCompiler.Compile(schema)
  return (value) => {
    if (compiled.Check(value)) return value
    const problem = compiled.Errors(value).First()
    throw new MalformedError(fieldOf(schema, problem?.path ?? ""), expectedOf(problem))
  }
}

/** In words, of a union those of each alternative. None of them holds input. */
function expectedOf(problem: ValueError | undefined): string {
  if (problem === undefined) return "another shape"
  const alternatives = problem.errors.map((errors) => expectedOf(errors.First()))
  if (alternatives.length > 0) return [...new Set(alternatives)].join(" or ")
  return problem.message.replace(/^Expected /, "")
}

/** The declared part of a JSON pointer: names that the client made up are not echoed. */
function fieldOf(schema: TSchema, pointer: string): string {
  const names: string[] = []
  let at: TSchema | undefined = schema
  for (const name of pointer.split("/").slice(1)) {
    const properties: Record<string, TSchema> = at?.properties ?? {}
    at = Object.hasOwn(properties, name) ? properties[name] : undefined
    if (at === undefined) break
    names.push(name)
  }
  return names.join(".") || "body"
}
