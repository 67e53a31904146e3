import type { FigureComparison } from "../../model-traffic.ts"
import { readJson } from "../body.ts"
import { HttpError } from "../http-error.ts"
import type {
  ModelChange,
  ModelOperations,
  ModelServerHealth,
  ModelSummary,
} from "../model-operations.ts"
import {
  modelAnswer,
  modelChangeAnswer,
  modelHealthAnswer,
  modelsAnswer,
  promoteRequest,
  rollbackRequest,
} from "../model-schemas.ts"
import type { OperatingParts } from "../parts.ts"
import { createReader } from "../schemas.ts"
import { BASE, PREDICT_BYTES_MAX, type Route } from "./route.ts"

interface Operated {
  readonly operating: OperatingParts
}

const REASON_DEFAULT = "asked for by an operator"

/** Models under traffic: what is at hand, who answers, and how that is changed. */
export function modelRoutes(parts: Operated): readonly Route[] {
  return [
    listModels(parts),
    promoteModel(parts),
    rollbackModel(parts),
    modelServerHealth(parts),
    // the id holds a slash, which a client may send as it is or encoded
    showModel(parts, `${BASE}/models/:model_id`),
    showModel(parts, `${BASE}/models/:model_id/:version`),
  ]
}

function listModels(parts: Operated): Route {
  return {
    method: "GET",
    path: `${BASE}/models`,
    summary: "Models at hand, shipped and registered, with their states",
    answer: modelsAnswer,
    async handle() {
      return { models: (await modelsOf(parts).list()).map(modelDocument) }
    },
  }
}

function showModel(parts: Operated, path: string): Route {
  return {
    method: "GET",
    path,
    summary: "One model: card, metrics, gates, lineage, transitions, what it does under traffic",
    // examples of disagreement are redacted, and still what clients sent
    isPrivate: true,
    answer: modelAnswer,
    async handle({ params }) {
      const modelId = [params.model_id, params.version].filter((part) => part !== undefined)
      const detail = await modelsOf(parts).show(modelId.join("/"))
      const { card, gates, lineage, transitions, comparison, traffic, ...summary } = detail
      return {
        ...modelDocument(summary),
        ...{ card, gates, lineage, transitions, traffic },
        compared_with_live: comparison && comparisonDocument(comparison),
      }
    },
  }
}

function promoteModel(parts: Operated): Route {
  const read = createReader(promoteRequest)
  return {
    method: "POST",
    path: `${BASE}/models/promote`,
    summary: "Give a model a share of the traffic: 0 = shadow, 100 = live, between = canary",
    changes: true,
    bytesMax: PREDICT_BYTES_MAX,
    body: promoteRequest,
    answer: modelChangeAnswer,
    async handle({ request }) {
      const asked = read(await readJson(request, PREDICT_BYTES_MAX))
      const { model_id: modelId, canary_percent: percent, auto = false, reason } = asked
      const change = await modelsOf(parts).promote({
        ...{ modelId, percent, auto },
        reason: reason ?? REASON_DEFAULT,
      })
      return changeDocument(change, "promoted_at")
    },
  }
}

function rollbackModel(parts: Operated): Route {
  const read = createReader(rollbackRequest)
  return {
    method: "POST",
    path: `${BASE}/models/rollback`,
    summary: "End a shadow or canary, or bring back the model before; or take the second tier away",
    changes: true,
    bytesMax: PREDICT_BYTES_MAX,
    body: rollbackRequest,
    answer: modelChangeAnswer,
    async handle({ request }) {
      const asked = request.body === null ? {} : await readJson(request, PREDICT_BYTES_MAX)
      const { reason = REASON_DEFAULT, tier } = read(asked)
      const change = await modelsOf(parts).rollback(reason, tier)
      return changeDocument(change, "rolled_back_at")
    },
  }
}

function modelServerHealth(parts: Operated): Route {
  return {
    method: "GET",
    path: `${BASE}/model-server/health`,
    summary: "State of the models that answer predict-payload",
    answer: modelHealthAnswer,
    handle: () => healthDocument(modelsOf(parts).health()),
  }
}

function healthDocument(health: ModelServerHealth) {
  const { plan, models, cache, skippedComparisons, secondTier } = health
  const [live] = models
  const answering = secondTier === undefined ? models : [...models, secondTier]
  const isWell = answering.every(
    ({ breaker, errorRate }) => breaker === "closed" && errorRate === 0,
  )
  const { entries, entriesMax, hits, misses } = cache
  return {
    status: isWell ? "healthy" : "degraded",
    model: plan.live,
    circuit_breaker: {
      open: live?.breaker === "open",
      state: live?.breaker ?? "closed",
      recent_error_rate: live?.errorRate ?? 0,
    },
    cache: { size: entries, max_size: entriesMax, hits, misses },
    canary_percent: plan.trial?.mode === "canary" ? plan.trial.percent : 0,
    models: models.map(({ modelId, breaker, errorRate, degraded }) => ({
      ...{ model_id: modelId, circuit_breaker: breaker },
      ...{ recent_error_rate: errorRate, degraded },
    })),
    trial: plan.trial
      ? { model_id: plan.trial.modelId, mode: plan.trial.mode, canary_percent: plan.trial.percent }
      : null,
    skipped_comparisons: skippedComparisons,
    second_tier: secondTier
      ? {
          ...{ model_id: secondTier.modelId, circuit_breaker: secondTier.breaker },
          ...{ recent_error_rate: secondTier.errorRate, waiting: secondTier.waiting },
          canary_percent: plan.secondTierPercent ?? 100,
        }
      : null,
  }
}

function changeDocument(
  { modelId, state, percent, at, comparison }: ModelChange,
  timeName: "promoted_at" | "rolled_back_at",
) {
  return {
    ...{ status: "success", model_id: modelId, state, canary_percent: percent, [timeName]: at },
    ...(comparison && { compared_with_live: comparisonDocument(comparison) }),
  }
}

function comparisonDocument({ live, figures, judgedOn, liveJudgedOn, warnings }: FigureComparison) {
  return {
    live,
    figures: Object.fromEntries(
      figures.map(({ figure, model, live: ofLive }) => [figure, { model, live: ofLive }]),
    ),
    judged_on: { model: judgedOn, live: liveJudgedOn },
    warnings,
  }
}

function modelDocument({ info, state, percent, origin, obstacles }: ModelSummary) {
  return {
    model_id: info.modelId,
    model_type: info.modelType,
    trained_at: info.trainedAt,
    training_samples: info.trainingSamples,
    validation_samples: info.validationSamples,
    metrics: info.metrics,
    can_promote: obstacles.length === 0,
    promotion_reason: obstacles.length === 0 ? "every gate is met" : obstacles.join("; "),
    status: state,
    canary_percent: percent,
    origin,
  }
}

function modelsOf({ operating }: Operated): ModelOperations {
  if (operating.models !== undefined) return operating.models
  throw new HttpError("UNAVAILABLE", "this process serves no models")
}
