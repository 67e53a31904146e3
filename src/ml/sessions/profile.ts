import type { PayloadPrediction, Profile, Session, SessionRequest } from "../../events.ts"
import type { AttackSigns } from "./attack-signs.ts"
import { attackSigns } from "./attack-signs.ts"
import { RequestStatistics } from "./request-statistics.ts"
import { isAssetPath, isLoginPath, isSensitivePath, toolOfUserAgent } from "./tool-signatures.ts"

/** Actions in a profile; a longer session is cut, its length stays in `action_count`. */
const ACTIONS_MAX = 50
const CRAWLER_AGENT = /bot\b|crawler|spider|slurp/i
/** sqlmap compares a random number with itself; its boundaries are four digits and more. */
const SQLMAP_COMPARISON = /(?:\b|%20)(?:AND|OR)(?:\s|\+|%20){1,8}(\d{4,5})(?:=|%3D)\1\b/i
const EVASION = /%25[0-9a-f]{2}|\/\*.{0,64}\*\/|%u[0-9a-f]{4}|\\u00[0-9a-f]{2}|%c0%a/i

interface Observations {
  readonly session: Session
  readonly requests: RequestStatistics
  readonly attacks: AttackSigns
  readonly tools: readonly string[]
}

/**
 * Says what the client of a session wanted and how skilled it was, in fixed words only: no part of
 * a request is repeated.
 *
 * @param predictions of the session's payloads; without them simple patterns decide
 */
export function profileSession(
  session: Session,
  predictions?: readonly PayloadPrediction[],
): Profile {
  const requests = new RequestStatistics(session)
  const attacks = attackSigns(session, predictions)
  const tools = toolSignatures(session, requests, attacks)
  const observed = { session, requests, attacks, tools }
  const intent = intentOf(observed)
  const profile = {
    action_sequence: actionSequence(session, attacks),
    action_count: requests.count,
    ttps: techniques(observed, intent),
    intent,
    sophistication_score: sophistication(observed, intent),
    duration_seconds: requests.spanMs / 1_000,
    unique_endpoints: requests.paths.size,
    tool_signatures: tools,
  }
  return { ...profile, summary: summaryOf(profile, attacks) }
}

function intentOf({ session, requests, attacks }: Observations): string {
  if (attacks.count > 0) return "exploitation"
  if (requests.deniedLogins >= 5 || requests.loginPosts >= 10) return "credential_access"
  if (requests.numberedMax >= 20 && requests.share(requests.status4xx) >= 0.2) return "enumeration"
  if (looksAround(requests)) return "reconnaissance"
  if (requests.count === 0) return "unknown"
  if (session.requests.some(({ userAgent }) => CRAWLER_AGENT.test(userAgent.slice(0, 512)))) {
    return "crawling"
  }
  if (requests.assets > 0 || requests.withLanguage > 0) return "browsing"
  return requests.count >= 3 && requests.paths.size <= 2 ? "monitoring" : "automation"
}

function looksAround(requests: RequestStatistics): boolean {
  if (requests.scannerAgents > 0 || requests.share(requests.sensitive) >= 0.3) return true
  return (
    requests.sensitive >= 3 || (requests.count >= 10 && requests.share(requests.status404) >= 0.5)
  )
}

/** Tools by what they call themselves, then by how they behave. */
function toolSignatures(
  session: Session,
  requests: RequestStatistics,
  attacks: AttackSigns,
): string[] {
  const tools = new Set<string>()
  for (const userAgent of requests.userAgents) {
    const tool = toolOfUserAgent(userAgent)
    if (tool !== undefined) tools.add(tool.tool)
  }
  for (const { path } of session.requests) {
    const lowerPath = path.slice(0, 512).toLowerCase()
    if (lowerPath.includes("nmaplowercheck") || lowerPath.includes("nice ports")) tools.add("nmap")
    if (lowerPath.includes("nikto")) tools.add("nikto")
  }
  if (attacks.texts.some((text) => SQLMAP_COMPARISON.test(text.slice(0, 1_024))))
    tools.add("sqlmap")
  const wordlist = requests.count >= 20 && requests.paths.size / requests.count >= 0.5
  if (wordlist && requests.share(requests.status404) >= 0.6) tools.add("wordlist-scanner")
  if (requests.deniedLogins >= 10) tools.add("credential-script")
  return [...tools]
}

/** MITRE ATT&CK (Enterprise) techniques that the session shows. */
function techniques({ session, requests, attacks }: Observations, intent: string): string[] {
  const found: string[] = []
  const classes = new Set(attacks.classes)
  if (attacks.count > 0) found.push("T1190")
  if (classes.has("command_injection")) found.push("T1059")
  if (classes.has("xss")) found.push("T1059.007")
  if (classes.has("path_traversal")) found.push("T1083")
  if (requests.scannerAgents > 0 || attacks.count >= 10) found.push("T1595.002")
  if (requests.sensitive >= 5 || (requests.status404 >= 15 && looksAround(requests))) {
    found.push("T1595.003")
  }
  if (intent === "credential_access") {
    found.push(requests.userAgents.size > 1 ? "T1110.004" : "T1110")
  }
  if (intent === "enumeration") found.push("T1087")
  if (session.context.isTor) found.push("T1090.003")
  return found
}

function actionSequence(session: Session, attacks: AttackSigns): string[] {
  const actions: string[] = []
  for (const request of session.requests) {
    const attack = attacks.byRequest.get(request.index)
    const action = attack === undefined ? actionOf(request) : `exploit:${attack}`
    if (actions.at(-1) !== action) actions.push(action)
    if (actions.length === ACTIONS_MAX) break
  }
  return actions
}

function actionOf({ path, method }: SessionRequest): string {
  const lowerPath = path.slice(0, 512).toLowerCase()
  if (isSensitivePath(lowerPath)) return "probe"
  if (isLoginPath(lowerPath) && method === "POST") return "login_attempt"
  if (isAssetPath(lowerPath)) return "fetch_asset"
  if (lowerPath === "/robots.txt" || lowerPath.startsWith("/sitemap")) return "read_site_map"
  if (method === "POST") return "submit"
  if (method === "PUT" || method === "DELETE" || method === "PATCH") return "modify"
  return lowerPath.startsWith("/api/") ? "call_api" : "browse"
}

const HOSTILE = new Set(["exploitation", "credential_access", "enumeration", "reconnaissance"])

/** 0..10, a point for each sign of skill; 0 for a session that wants nothing hostile. */
function sophistication(observed: Observations, intent: string): number {
  if (!HOSTILE.has(intent)) return 0
  const { session, requests, attacks } = observed
  const evades = attacks.texts.some((text) => EVASION.test(text.slice(0, 1_024)))
  const signs: readonly (readonly [boolean, number])[] = [
    [attacks.count > 0, 1],
    [attacks.classes.length >= 2, 1],
    [attacks.classes.length >= 3, 1],
    [evades, 2],
    [attacks.count > 0 && requests.scannerAgents === 0, 1],
    [attacks.count > 0 && requests.sensitive > 0, 1],
    [session.context.isTor || session.context.isVpn, 1],
    [requests.userAgents.size >= 3, 1],
    [requests.count >= 3 && requests.meanGapMs >= 10_000, 1],
  ]
  return signs.reduce((sum, [seen, points]) => sum + (seen ? points : 0), 0)
}

function summaryOf(profile: Omit<Profile, "summary">, attacks: AttackSigns): string {
  const { intent, action_count: requests, duration_seconds: seconds } = profile
  const parts = [
    `${intent.replaceAll("_", " ")}: ${requests} request(s) to ${profile.unique_endpoints} path(s) in ${seconds.toFixed(1)} s`,
  ]
  if (attacks.count > 0) {
    parts.push(`${attacks.count} suspicious payload(s) of ${attacks.classes.join(", ")}`)
  }
  if (profile.tool_signatures.length > 0) parts.push(`tools ${profile.tool_signatures.join(", ")}`)
  if (profile.ttps.length > 0) parts.push(`ATT&CK ${profile.ttps.join(", ")}`)
  return `${parts.join("; ")}.`
}
