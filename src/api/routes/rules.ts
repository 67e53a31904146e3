import { MalformedError } from "../../errors.ts"
import { RULE_STATES, type RuleState } from "../../rule.ts"
import { readJson } from "../body.ts"
import { HttpError } from "../http-error.ts"
import type { OperatingParts } from "../parts.ts"
import type { RuleOperations, RuleReview, TakenOut } from "../rule-operations.ts"
import {
  applyRequest,
  decisionAnswer,
  driftAnswer,
  proposeAnswer,
  proposeRequest,
  reviewAnswer,
  reviewRequest,
  ruleAnswer,
  rulesAnswer,
  withdrawAnswer,
} from "../rule-schemas.ts"
import { createReader } from "../schemas.ts"
import { PAGE_PARAMETERS, readPageQuery, readText } from "./page-query.ts"
import { BASE, PREDICT_BYTES_MAX, type Route } from "./route.ts"

interface Operated {
  readonly operating: OperatingParts
}

/** A payload of 16 KiB, every byte of it escaped. */
const BODY_BYTES_MAX = 128 * 1_024
const SEVERITY_UNKNOWN = 5

/** WAF rules: what was made, what is decided about it, and what Gatekeeper has. */
export function ruleRoutes(parts: Operated): readonly Route[] {
  return [
    listRules(parts),
    showRule(parts),
    proposeRule(parts),
    applyRule(parts),
    reviewRule(parts, { word: "approve", state: "approved" }),
    reviewRule(parts, { word: "reject", state: "rejected" }),
    reviewRule(parts, { word: "expire", state: "expired" }),
    withdrawRules(parts),
    reconcileRules(parts),
  ]
}

function listRules(parts: Operated): Route {
  return {
    method: "GET",
    path: `${BASE}/rules`,
    summary: "Rules, newest first",
    query: [{ name: "state", description: RULE_STATES.join(", ") }, ...PAGE_PARAMETERS.slice(1)],
    isPrivate: true,
    answer: rulesAnswer,
    handle({ request }) {
      const search = new URL(request.url).searchParams
      const { limit, cursor } = readPageQuery(search)
      const state = readState(readText(search, "state"))
      const page = rulesOf(parts).query({
        limit,
        ...(cursor && { cursor }),
        ...(state && { state }),
      })
      const rules = page.items.map(({ rule, ...stored }) => ({ ...rule, state: stored.state }))
      return { rules, count: rules.length, cursor: page.cursor ?? null }
    },
  }
}

function readState(word: string | undefined): RuleState | undefined {
  const state = RULE_STATES.find((known) => known === word)
  if (word !== undefined && state === undefined) {
    throw new MalformedError("state", `one of ${RULE_STATES.join(", ")}`)
  }
  return state
}

function showRule(parts: Operated): Route {
  return {
    method: "GET",
    path: `${BASE}/rules/:rule_id`,
    summary: "One rule with its provenance and its history",
    isPrivate: true,
    answer: ruleAnswer,
    handle({ params }) {
      const stored = rulesOf(parts).get(params.rule_id ?? "")
      if (stored === undefined) throw new HttpError("NOT_FOUND")
      return stored
    },
  }
}

function proposeRule(parts: Operated): Route {
  const read = createReader(proposeRequest)
  return {
    method: "POST",
    path: `${BASE}/rule-propose`,
    summary: "Make a rule from a confirmed exploit",
    changes: true,
    bytesMax: BODY_BYTES_MAX,
    body: proposeRequest,
    answer: proposeAnswer,
    async handle({ request }) {
      const { payload, sim_result: result } = read(await readJson(request, BODY_BYTES_MAX))
      if (result.verdict !== "exploit_possible") throw new HttpError("NOT_EXPLOITABLE")
      const simulationId = result.simulation_id ?? undefined
      const known = simulationId && parts.operating.simulations?.byId(simulationId)
      const { rule, decision } = await rulesOf(parts).propose(
        {
          payload: {
            ...{ type: payload.type, value: payload.value, location: payload.location ?? "" },
            confidence: payload.confidence ?? undefined,
          },
          result: { simulationId, severity: result.severity ?? SEVERITY_UNKNOWN },
        },
        known || undefined,
      )
      const recommendation = decision.decision === "auto_applied" ? "auto_apply" : "manual_review"
      return { rule, message: decision.reasons.join("; "), recommendation }
    },
  }
}

function applyRule(parts: Operated): Route {
  const read = createReader(applyRequest)
  return {
    method: "POST",
    path: `${BASE}/rule-apply`,
    summary: "Let the policy decide about a stored rule, or decide with force",
    changes: true,
    bytesMax: PREDICT_BYTES_MAX,
    body: applyRequest,
    answer: decisionAnswer,
    async handle({ request }) {
      const asked = read(await readJson(request, PREDICT_BYTES_MAX))
      const { rule_id: ruleId, force = false, reviewer = "api", note = "" } = asked
      const forced = force ? checkedReview({ reviewer, note }) : undefined
      const { decision, reasons } = await rulesOf(parts).apply(ruleId, forced)
      const confidence = rulesOf(parts).get(ruleId)?.rule.confidence ?? 0
      return { decision, reason: reasons.join("; "), rule_id: ruleId, confidence }
    },
  }
}

function reviewRule(parts: Operated, { word, state }: { word: string; state: RuleState }): Route {
  return {
    method: "POST",
    path: `${BASE}/rules/:rule_id/${word}`,
    summary: `A person's decision: the rule is ${state}`,
    changes: true,
    bytesMax: PREDICT_BYTES_MAX,
    body: reviewRequest,
    answer: reviewAnswer,
    async handle({ request, params }) {
      const review = await readReview(request)
      const reviewed = await rulesOf(parts).review(params.rule_id ?? "", state, review)
      return { ...reviewed.stored, ...takenOutDocument(reviewed.takenOut) }
    },
  }
}

function withdrawRules(parts: Operated): Route {
  return {
    method: "POST",
    path: `${BASE}/rules-withdraw`,
    summary: "Take every rule of Sentinel out of Gatekeeper",
    changes: true,
    bytesMax: PREDICT_BYTES_MAX,
    body: reviewRequest,
    answer: withdrawAnswer,
    async handle({ request }) {
      const { withdrawn, takenOut } = await rulesOf(parts).withdrawAll(await readReview(request))
      return { withdrawn, ...takenOutDocument(takenOut) }
    },
  }
}

function reconcileRules(parts: Operated): Route {
  return {
    method: "POST",
    path: `${BASE}/rules-reconcile`,
    summary: "Compare with Gatekeeper now, heal what differs, and say what was found",
    changes: true,
    answer: driftAnswer,
    async handle() {
      const { isReachable, ...drift } = await rulesOf(parts).reconcile()
      return { reachable: isReachable, ...drift }
    },
  }
}

function takenOutDocument({ gatekeeper, stillEnforced }: TakenOut) {
  return { still_enforced: stillEnforced, gatekeeper }
}

const readReviewBody = createReader(reviewRequest)

async function readReview(request: Request): Promise<RuleReview> {
  const { reviewer, note = "" } = readReviewBody(await readJson(request, PREDICT_BYTES_MAX))
  return checkedReview({ reviewer, note })
}

/** Whose decisions are its own is told by the name `policy`. */
function checkedReview(review: RuleReview): RuleReview {
  if (review.reviewer.trim() !== "policy") return review
  throw new MalformedError("reviewer", "the name of a person")
}

function rulesOf({ operating }: Operated): RuleOperations {
  if (operating.rules !== undefined) return operating.rules
  throw new HttpError("UNAVAILABLE", "this process makes no rules: `start` does")
}
