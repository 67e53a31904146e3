import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import type { Session, SessionPayload, SessionRequest } from "../../../src/events.ts"
import { FEATURE_TABLE } from "../../../src/ml/sessions/feature-table.ts"
import {
  completeFeatures,
  featureSchemaHash,
  featurize,
  renderFeatureTable,
} from "../../../src/ml/sessions/featurize.ts"

const CONTRACT_NAMES =
  `n_requests method_diversity method_get_ratio method_post_ratio avg_path_depth
  max_path_depth avg_param_count max_param_count error_rate avg_response_size total_time_ms n_payloads
  max_payload_entropy avg_payload_entropy avg_payload_length max_payload_length contains_sql_keywords
  contains_xss_patterns contains_cmd_patterns special_char_ratio avg_inter_request_ms
  request_rate_per_min ua_fingerprint_score session_age_seconds endpoint_diversity ua_changes
  has_poi_tag tag_severity_score n_tags is_from_tor is_from_vpn prior_poi_count`.split(/\s+/)

const NO_CONTEXT = { tags: [], isTor: false, isVpn: false, priorPoiCount: 0 }

function request(changes: Partial<SessionRequest> = {}): SessionRequest {
  return {
    index: 0,
    startedMs: 0,
    timeMs: 10,
    method: "GET",
    url: "/",
    path: "/",
    query: "",
    headers: [],
    userAgent: "agent",
    body: "",
    status: 200,
    responseBytes: 100,
    ...changes,
  }
}

function payload(text: string): SessionPayload {
  return { id: "p", text, kind: "param", location: "query:q", origin: "har", requestIndex: 0 }
}

function session(changes: Partial<Session> = {}): Session {
  const base = { sessionId: "s", requests: [], payloads: [], context: NO_CONTEXT, truncated: false }
  return { ...base, ...changes }
}

const anyText = fc.string({ unit: "binary", maxLength: 300 })
const anyNumber = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(-1, Number.NaN, Infinity))
const anyRequest: fc.Arbitrary<SessionRequest> = fc.record({
  index: fc.nat(),
  startedMs: fc.option(fc.integer({ min: -1e13, max: 1e13 }), { nil: undefined }),
  timeMs: anyNumber,
  method: fc.constantFrom("GET", "POST", "PUT", ""),
  url: anyText,
  path: anyText,
  query: anyText,
  headers: fc.array(fc.record({ name: anyText, value: anyText }), { maxLength: 5 }),
  userAgent: anyText,
  body: anyText,
  status: anyNumber,
  responseBytes: anyNumber,
})
const anySession: fc.Arbitrary<Session> = fc.record({
  sessionId: anyText,
  requests: fc.array(anyRequest, { maxLength: 12 }),
  payloads: fc.array(anyText.map(payload), { maxLength: 12 }),
  context: fc.record({
    tags: fc.array(anyText, { maxLength: 4 }),
    isTor: fc.boolean(),
    isVpn: fc.boolean(),
    priorPoiCount: anyNumber,
  }),
  truncated: fc.boolean(),
})

describe("featurize", () => {
  test("featurize gives every feature of the table, finite and in range, for any session", () => {
    const inRange = (given: Session): void => {
      const features = featurize(given)
      expect(Object.keys(features)).toEqual(FEATURE_TABLE.map(({ name }) => name))
      for (const { name, min, max } of FEATURE_TABLE) {
        const value = features[name] ?? Number.NaN
        expect(value >= min && value <= max, name).toBe(true)
      }
    }
    fc.assert(fc.property(anySession, inRange), { numRuns: 300 })
  })

  test("featurize knows every name of the contract and at least 40 in all, each once", () => {
    const names = FEATURE_TABLE.map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(CONTRACT_NAMES))
    expect(names.length).toBeGreaterThanOrEqual(40)
    expect(new Set(names).size).toBe(names.length)
  })

  test("featurize follows the contract's definitions over requests", () => {
    const requests = [
      request({ path: "/a/b", query: "x=1&y=2&x=3", timeMs: 5, userAgent: "one" }),
      request({ path: "/a", method: "POST", status: 404, startedMs: 30_000, responseBytes: 300 }),
      request({ path: "//a//b/c", status: 503, startedMs: 60_000, userAgent: "one" }),
    ]
    const expected = {
      n_requests: 3,
      method_diversity: 2 / 3,
      method_get_ratio: 2 / 3,
      method_post_ratio: 1 / 3,
      avg_path_depth: 2,
      max_path_depth: 3,
      avg_param_count: 2 / 3,
      max_param_count: 2,
      error_rate: 2 / 3,
      avg_response_size: 500 / 3,
      total_time_ms: 25,
      avg_inter_request_ms: 30_000,
      request_rate_per_min: 3,
      ua_fingerprint_score: 2 / 3,
      ua_changes: 2,
      session_age_seconds: 60,
      endpoint_diversity: 1,
    }
    expect(featurize(session({ requests }))).toMatchObject(expected)
  })

  test("featurize gives rate 0 for one request and for requests without times", () => {
    const one = featurize(session({ requests: [request()] }))
    expect(one.request_rate_per_min).toBe(0)
    const untimed = [request({ startedMs: undefined }), request({ startedMs: undefined })]
    expect(featurize(session({ requests: untimed })).request_rate_per_min).toBe(0)
  })

  test("featurize follows the contract's definitions over payloads", () => {
    const features = featurize(session({ payloads: [payload("aabb"), payload("a'--")] }))
    expect(features.n_payloads).toBe(2)
    expect(features.max_payload_entropy).toBeCloseTo(1.5, 12)
    expect(features.avg_payload_entropy).toBeCloseTo(1.25, 12)
    expect(features.avg_payload_length).toBe(4)
    expect(features.special_char_ratio).toBeCloseTo((0 / 5 + 3 / 5) / 2, 12)
  })

  test.each([
    ["contains_sql_keywords", "1 UNION SELECT a FROM b"],
    ["contains_xss_patterns", "<script>alert(1)</script>"],
    ["contains_cmd_patterns", "x; cat /etc/hosts"],
    ["contains_traversal_patterns", "../../x"],
  ])("featurize sets %s for %p and not for prose", (name, text) => {
    expect(featurize(session({ payloads: [payload("hello"), payload(text)] }))[name]).toBe(1)
    expect(featurize(session({ payloads: [payload("O'Brien & Sons, est. 1902")] }))[name]).toBe(0)
  })

  test("featurize reads the context as the contract says", () => {
    const tags = ["poi", "sql_injection-suspected", "xss"]
    const context = { tags, isTor: true, isVpn: false, priorPoiCount: 3 }
    expect(featurize(session({ context }))).toMatchObject({
      has_poi_tag: 1,
      tag_severity_score: 2 / 4,
      n_tags: 3,
      is_from_tor: 1,
      is_from_vpn: 0,
      prior_poi_count: 3,
    })
  })
})

describe("completeFeatures", () => {
  test("completeFeatures fills defaults, clamps, and drops unknown names", () => {
    const complete = completeFeatures({ error_rate: 7, n_requests: Number.NaN, other: 1 })
    expect(Object.keys(complete)).toEqual(FEATURE_TABLE.map(({ name }) => name))
    expect(complete).toMatchObject({ error_rate: 1, n_requests: 0, n_payloads: 0 })
  })

  test("completeFeatures is not misled by names of Object.prototype", () => {
    const hostile = JSON.parse('{"__proto__": {"error_rate": 1}, "constructor": 1}')
    expect(completeFeatures(hostile)).toMatchObject({ error_rate: 0 })
  })
})

test("featureSchemaHash is 64 hex digits and does not change between calls", () => {
  expect(featureSchemaHash()).toMatch(/^[0-9a-f]{64}$/)
  expect(featureSchemaHash()).toBe(featureSchemaHash())
})

test("renderFeatureTable has one line for each feature", () => {
  expect(renderFeatureTable().trimEnd().split("\n")).toHaveLength(FEATURE_TABLE.length + 1)
})
