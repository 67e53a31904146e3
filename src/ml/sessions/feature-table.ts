import type { Session, SessionContext } from "../../events.ts"
import type { PayloadStatistics } from "./payload-statistics.ts"
import { payloadStatistics } from "./payload-statistics.ts"
import { RequestStatistics } from "./request-statistics.ts"

export type FeatureGroup = "request" | "payload" | "behaviour" | "context"

/** What the extractors read: the sums of one pass over the session. */
export interface SessionStatistics {
  readonly requests: RequestStatistics
  readonly payloads: PayloadStatistics
  readonly context: SessionContext
}

export interface Feature {
  readonly name: string
  readonly group: FeatureGroup
  readonly unit: string
  /** Inclusive; the extracted value is clamped to it. */
  readonly min: number
  readonly max: number
  /** What stands in where a client leaves the feature out. */
  readonly default: number
  readonly meaning: string
  readonly extract: (statistics: SessionStatistics) => number
}

type Extractor<Part extends keyof SessionStatistics> = (part: SessionStatistics[Part]) => number

/** [name, unit, max, meaning, extractor]: every feature starts at 0, which is its default too. */
type Row<Part extends keyof SessionStatistics> = readonly [
  name: string,
  unit: string,
  max: number,
  meaning: string,
  extract: Extractor<Part>,
]

const ratio = "ratio"
const per = (sum: number, count: number): number => (count === 0 ? 0 : sum / count)
const flag = (condition: boolean): number => (condition ? 1 : 0)

const REQUEST_ROWS: readonly Row<"requests">[] = [
  ["n_requests", "requests", 1e6, "requests of the session", (r) => r.count],
  [
    "method_diversity",
    ratio,
    1,
    "distinct methods per request",
    (r) => per(r.methods.size, r.count),
  ],
  ["method_get_ratio", ratio, 1, "share of GET", (r) => r.share(r.get)],
  ["method_post_ratio", ratio, 1, "share of POST", (r) => r.share(r.post)],
  [
    "method_other_ratio",
    ratio,
    1,
    "share of methods but GET and POST",
    (r) => r.share(r.count - r.get - r.post),
  ],
  ["avg_path_depth", "segments", 1e4, "mean path segments", (r) => per(r.pathDepth, r.count)],
  ["max_path_depth", "segments", 1e4, "most path segments", (r) => r.pathDepthMax],
  [
    "avg_param_count",
    "parameters",
    256,
    "mean distinct query parameters",
    (r) => per(r.parameters, r.count),
  ],
  ["max_param_count", "parameters", 256, "most distinct query parameters", (r) => r.parametersMax],
  [
    "param_name_diversity",
    ratio,
    1,
    "distinct parameter names among all of them",
    (r) => per(r.parameterNames.size, r.parameters),
  ],
  ["avg_url_length", "characters", 1e6, "mean length of a URL", (r) => per(r.urlLength, r.count)],
  ["max_url_length", "characters", 1e6, "longest URL", (r) => r.urlLengthMax],
  [
    "avg_body_length",
    "characters",
    1e8,
    "mean length of a request body",
    (r) => per(r.bodyLength, r.count),
  ],
  [
    "error_rate",
    ratio,
    1,
    "share of statuses from 400 on",
    (r) => r.share(r.status4xx + r.status5xx),
  ],
  ["server_error_rate", ratio, 1, "share of statuses from 500 on", (r) => r.share(r.status5xx)],
  ["not_found_rate", ratio, 1, "share of status 404", (r) => r.share(r.status404)],
  ["denied_rate", ratio, 1, "share of statuses 401, 403 and 429", (r) => r.share(r.statusDenied)],
  ["redirect_rate", ratio, 1, "share of statuses 300 to 399", (r) => r.share(r.status3xx)],
  [
    "avg_response_size",
    "bytes",
    1e9,
    "mean size of a response",
    (r) => per(r.responseBytes, r.count),
  ],
  ["max_response_size", "bytes", 1e9, "largest response", (r) => r.responseBytesMax],
  [
    "response_size_diversity",
    ratio,
    1,
    "distinct response sizes per request",
    (r) => per(r.responseSizes.size, r.count),
  ],
  ["total_time_ms", "ms", 1e9, "sum of the requests' durations", (r) => r.totalTimeMs],
  ["avg_response_time_ms", "ms", 1e8, "mean duration", (r) => per(r.totalTimeMs, r.count)],
  ["avg_header_count", "headers", 1e3, "mean request headers", (r) => per(r.headers, r.count)],
  ["referer_ratio", ratio, 1, "share with a Referer", (r) => r.share(r.withReferer)],
  ["cookie_ratio", ratio, 1, "share with a Cookie", (r) => r.share(r.withCookie)],
  [
    "accept_language_ratio",
    ratio,
    1,
    "share with an Accept-Language",
    (r) => r.share(r.withLanguage),
  ],
]

const PAYLOAD_ROWS: readonly Row<"payloads">[] = [
  ["n_payloads", "payloads", 1e6, "texts a client could have chosen", (p) => p.count],
  ["max_payload_entropy", "bits/char", 16, "highest Shannon entropy", (p) => p.maxEntropy],
  [
    "avg_payload_entropy",
    "bits/char",
    16,
    "mean Shannon entropy",
    (p) => per(p.totalEntropy, p.count),
  ],
  ["max_payload_length", "characters", 1e8, "longest payload", (p) => p.maxLength],
  [
    "avg_payload_length",
    "characters",
    1e8,
    "mean payload length",
    (p) => per(p.totalLength, p.count),
  ],
  ["contains_sql_keywords", "0/1", 1, "SQL in any payload", (p) => flag(p.hasSql)],
  ["contains_xss_patterns", "0/1", 1, "active HTML in any payload", (p) => flag(p.hasXss)],
  ["contains_cmd_patterns", "0/1", 1, "shell commands in any payload", (p) => flag(p.hasCommand)],
  [
    "contains_traversal_patterns",
    "0/1",
    1,
    "parent directories in any payload",
    (p) => flag(p.hasTraversal),
  ],
  [
    "special_char_ratio",
    ratio,
    1,
    "mean share of non-alphanumerics",
    (p) => per(p.totalSpecialRatio, p.count),
  ],
  ["max_special_char_ratio", ratio, 1, "highest such share", (p) => p.maxSpecialRatio],
  ["digit_ratio", ratio, 1, "mean share of digits", (p) => per(p.totalDigitRatio, p.count)],
  [
    "non_ascii_ratio",
    ratio,
    1,
    "mean share of non-ASCII characters",
    (p) => per(p.totalNonAsciiRatio, p.count),
  ],
  [
    "percent_encoded_ratio",
    ratio,
    1,
    "share of payloads with a percent sign",
    (p) => per(p.withPercent, p.count),
  ],
  [
    "payload_diversity",
    ratio,
    1,
    "distinct texts among the payloads",
    (p) => per(p.distinctTexts, p.count),
  ],
]

const BEHAVIOUR_ROWS: readonly Row<"requests">[] = [
  ["avg_inter_request_ms", "ms", 1e10, "mean time between requests", (r) => r.meanGapMs],
  [
    "min_inter_request_ms",
    "ms",
    1e10,
    "shortest time between requests",
    (r) => r.gapsMs.reduce((min, gap) => Math.min(min, gap), r.gapsMs[0] ?? 0),
  ],
  [
    "max_inter_request_ms",
    "ms",
    1e10,
    "longest time between requests",
    (r) => r.gapsMs.reduce((max, gap) => Math.max(max, gap), 0),
  ],
  [
    "inter_request_variation",
    ratio,
    1e3,
    "coefficient of variation of these times",
    (r) => r.gapVariation,
  ],
  ["burst_ratio", ratio, 1, "share of these times below 100 ms", (r) => r.burstShare],
  [
    "request_rate_per_min",
    "1/min",
    1e8,
    "requests per minute between first and last; 0 where they coincide",
    (r) => per(r.count, r.spanMs / 60_000),
  ],
  ["session_age_seconds", "s", 1e9, "from first to last request", (r) => r.spanMs / 1_000],
  [
    "ua_fingerprint_score",
    ratio,
    1,
    "distinct user agents per request",
    (r) => per(r.userAgents.size, r.count),
  ],
  ["ua_changes", "user agents", 1e6, "distinct user agents", (r) => r.userAgents.size],
  ["endpoint_diversity", ratio, 1, "distinct paths per request", (r) => per(r.paths.size, r.count)],
  ["unique_endpoints", "paths", 1e6, "distinct paths", (r) => r.paths.size],
  ["top_path_ratio", ratio, 1, "share of the most asked path", (r) => r.share(r.topPath)],
  [
    "numbered_enumeration",
    "values",
    1e6,
    "most distinct numbers tried in one place of a URL",
    (r) => r.numberedMax,
  ],
  ["asset_ratio", ratio, 1, "share of static files", (r) => r.share(r.assets)],
  [
    "sensitive_path_ratio",
    ratio,
    1,
    "share of paths scanners ask for",
    (r) => r.share(r.sensitive),
  ],
  ["login_ratio", ratio, 1, "share of paths that take credentials", (r) => r.share(r.logins)],
  ["login_posts", "requests", 1e6, "credentials handed in", (r) => r.loginPosts],
  ["denied_logins", "requests", 1e6, "refused at such paths", (r) => r.deniedLogins],
  [
    "scanner_agent_ratio",
    ratio,
    1,
    "share of user agents that name an attack tool",
    (r) => r.share(r.scannerAgents),
  ],
  [
    "client_agent_ratio",
    ratio,
    1,
    "share of user agents that name a programming library",
    (r) => r.share(r.clientAgents),
  ],
  ["empty_agent_ratio", ratio, 1, "share without a user agent", (r) => r.share(r.emptyAgents)],
]

const SEVERE_TAG = /injection|xss|attack/i

const CONTEXT_ROWS: readonly Row<"context">[] = [
  ["has_poi_tag", "0/1", 1, "tagged as of interest", (c) => flag(c.tags.includes("poi"))],
  [
    "tag_severity_score",
    ratio,
    1,
    "tags that name an injection, xss or attack, over all tags + 1",
    (c) => c.tags.filter((tag) => SEVERE_TAG.test(tag)).length / (c.tags.length + 1),
  ],
  ["n_tags", "tags", 1e4, "tags of the producer", (c) => c.tags.length],
  ["is_from_tor", "0/1", 1, "came through Tor", (c) => flag(c.isTor)],
  ["is_from_vpn", "0/1", 1, "came through a VPN", (c) => flag(c.isVpn)],
  ["prior_poi_count", "sessions", 1e6, "earlier sessions of interest", (c) => c.priorPoiCount],
]

/**
 * Every feature of a session in the order of the vector: the single source of truth for
 * extraction, models, explanations and `./sentinel features`.
 */
export const FEATURE_TABLE: readonly Feature[] = [
  ...REQUEST_ROWS.map(toFeature("request", "requests")),
  ...PAYLOAD_ROWS.map(toFeature("payload", "payloads")),
  ...BEHAVIOUR_ROWS.map(toFeature("behaviour", "requests")),
  ...CONTEXT_ROWS.map(toFeature("context", "context")),
]

export function sessionStatistics(session: Session): SessionStatistics {
  return {
    requests: new RequestStatistics(session),
    payloads: payloadStatistics(session.payloads),
    context: session.context,
  }
}

function toFeature<Part extends keyof SessionStatistics>(group: FeatureGroup, part: Part) {
  return ([name, unit, max, meaning, extract]: Row<Part>): Feature => ({
    name,
    group,
    unit,
    min: 0,
    max,
    default: 0,
    meaning,
    extract: (statistics) => extract(statistics[part]),
  })
}
