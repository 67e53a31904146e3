import type { Features } from "../../events.ts"
import type { Enrichment } from "../../ports.ts"
import { parseJson, readBytes, readJson, readJsonBytes } from "../body.ts"
import { HttpError } from "../http-error.ts"
import { sliceMembers } from "../json-members.ts"
import type { ApiParts } from "../parts.ts"
import {
  analyzeAnswer,
  createReader,
  enrichment,
  evidenceAnswer,
  evidenceRequest,
  explainRequest,
  explanationAnswer,
  profileAnswer,
  profileRequest,
} from "../schemas.ts"
import { BASE, EVIDENCE_BYTES_MAX, PREDICT_BYTES_MAX, type Route } from "./route.ts"

const OPEN_OBJECT = 0x7b
const ARCHIVE_TYPES = new Set(["application/gzip", "application/x-gzip"])

/** Endpoints that judge whole sessions. `analyze`, `explain` and `profile` change nothing. */
export function analysisRoutes(
  parts: Pick<ApiParts, "analyzer" | "submitEvidence">,
): readonly Route[] {
  return [analyze(parts), explain(parts), profile(parts), submit(parts)]
}

function analyze({ analyzer }: Pick<ApiParts, "analyzer">): Route {
  return {
    method: "POST",
    path: `${BASE}/analyze`,
    summary: "Judge and explain one evidence document; nothing is stored",
    bytesMax: EVIDENCE_BYTES_MAX,
    body: evidenceRequest,
    answer: analyzeAnswer,
    async handle({ request }) {
      const body = await readJsonBytes(request, EVIDENCE_BYTES_MAX)
      const { evidence, ...options } = splitEvidence(body)
      return analyzer.analyze(evidence, { ...options, signal: request.signal })
    },
  }
}

/** Evidence and enrichment of a body; the evidence as the very bytes that came. */
function splitEvidence(body: Uint8Array): { evidence: Uint8Array; enrichment?: Enrichment } {
  const members = sliceMembers(body, ["evidence", "enrichment"])
  const evidence = members.get("evidence")
  if (evidence?.[0] !== OPEN_OBJECT) {
    throw new HttpError("MALFORMED", "evidence: expected object", "evidence")
  }
  const given = members.get("enrichment")
  return given === undefined ? { evidence } : { evidence, ...readEnrichment(given) }
}

const readFields = createReader(enrichment)

function readEnrichment(bytes: Uint8Array): { enrichment?: Enrichment } {
  const value = parseJson(bytes)
  if (value === null) return {}
  const { tags, meta } = readFields(value)
  return { enrichment: { ...(tags && { tags }), ...(meta && { meta: { ...meta } }) } }
}

function explain({ analyzer }: Pick<ApiParts, "analyzer">): Route {
  const read = createReader(explainRequest)
  return {
    method: "POST",
    path: `${BASE}/explain`,
    summary: "Explain a verdict from any subset of the features",
    bytesMax: PREDICT_BYTES_MAX,
    body: explainRequest,
    answer: explanationAnswer,
    async handle({ request }) {
      const { features, verdict } = read(await readJson(request, PREDICT_BYTES_MAX))
      const word = typeof verdict === "string" ? verdict : verdict.verdict
      return analyzer.explain(withoutPrototype(features), word)
    },
  }
}

/** A feature called `constructor` or `__proto__` must be an unknown name like any other. */
function withoutPrototype(features: Features): Features {
  return Object.assign(Object.create(null), features)
}

function profile({ analyzer }: Pick<ApiParts, "analyzer">): Route {
  const read = createReader(profileRequest)
  return {
    method: "POST",
    path: `${BASE}/profile`,
    summary: "Profile the attacker behind one session",
    bytesMax: EVIDENCE_BYTES_MAX,
    body: profileRequest,
    answer: profileAnswer,
    async handle({ request }) {
      const { session_id, captures } = read(await readJson(request, EVIDENCE_BYTES_MAX))
      return { session_id, profile: analyzer.profile(session_id, captures) }
    },
  }
}

function submit({ submitEvidence }: Pick<ApiParts, "submitEvidence">): Route {
  return {
    method: "POST",
    path: `${BASE}/evidence`,
    summary: "Queue evidence for the flow: a document, as for analyze, or a .tar.gz",
    status: 202,
    changes: true,
    bytesMax: EVIDENCE_BYTES_MAX,
    body: evidenceRequest,
    answer: evidenceAnswer,
    async handle({ request }) {
      if (submitEvidence === undefined) {
        throw new HttpError("UNAVAILABLE", "this process takes no evidence")
      }
      const { evidence, enrichment: given } = await readSubmission(request)
      const { eventId } = await submitEvidence(evidence, given)
      return { status: "accepted", event_id: eventId }
    },
  }
}

async function readSubmission(
  request: Request,
): Promise<{ evidence: Uint8Array; enrichment?: Enrichment }> {
  const type = request.headers.get("content-type") ?? ""
  if (ARCHIVE_TYPES.has(type)) return { evidence: await readBytes(request, EVIDENCE_BYTES_MAX) }
  const body = await readJsonBytes(request, EVIDENCE_BYTES_MAX)
  // A bare document is what lies in a folder or bucket; who posts that file as it is means this.
  const bare = sliceMembers(body, ["evidence", "har"])
  return bare.has("har") && !bare.has("evidence") ? { evidence: body } : splitEvidence(body)
}
