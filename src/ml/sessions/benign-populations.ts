import type { Session } from "../../events.ts"
import type { Random } from "../random.ts"
import { SessionSketch } from "./session-sketch.ts"
import {
  API_AGENTS,
  assetPath,
  BROWSER_AGENTS,
  CRAWLER_AGENTS,
  emailOf,
  MONITOR_AGENTS,
  NAMES,
  pagePath,
  sentence,
  WORDS,
} from "./vocabulary.ts"

/** What an honest client's context looks like: mostly nothing, now and then a VPN or a stray tag. */
function honestContext(random: Random) {
  const tags: string[] = []
  if (random.chance(0.1)) tags.push(random.pick(["web", "form", "api", "returning"]))
  if (random.chance(0.01)) tags.push("poi")
  return {
    tags,
    isVpn: random.chance(0.08),
    isTor: random.chance(0.01),
    priorPoiCount: random.chance(0.02) ? 1 : 0,
    country: random.pick(["DE", "US", "FR", "JP", "BR", "IN"]),
  }
}

/** A person with a browser: pages with their assets, pauses to read, a search, sometimes a form. */
export function browserSession(random: Random): Session {
  const headers = {
    accept: "text/html,application/xhtml+xml,*/*;q=0.8",
    "accept-language": random.pick(["en-US,en;q=0.9", "de-DE,de;q=0.8", "fr", "ja"]),
    "accept-encoding": "gzip, deflate, br",
    ...(random.chance(0.7) ? { cookie: `theme=dark; visit=${random.hex(12)}` } : {}),
    ...(random.chance(0.6)
      ? { "sec-fetch-site": "same-origin", "sec-fetch-mode": "navigate" }
      : {}),
  }
  const userAgent = random.pick(BROWSER_AGENTS)
  const sketch = new SessionSketch(random, { userAgent, headers, context: honestContext(random) })
  const assetsPerPage = random.chance(0.3) ? 0 : random.between(1, 6)
  const pages = Math.min(40, 1 + Math.floor(random.around(3, 0.8)))
  for (let page = 0; page < pages; page++) {
    visitPage(sketch, page)
    for (let i = 0; i < assetsPerPage && random.chance(0.8); i++) {
      sketch.add({ path: assetPath(random), gapMs: random.around(30, 0.8), headers: REFERER })
    }
  }
  return sketch.finish()
}

const REFERER = { referer: "https://shop.example/" }

function visitPage(sketch: SessionSketch, page: number): void {
  const { random } = sketch
  const gapMs = page === 0 ? 0 : random.around(9_000, 1)
  const headers = page === 0 ? {} : REFERER
  if (random.chance(0.15)) {
    const query = { q: random.pick(WORDS), page: random.between(1, 4) }
    sketch.add({ path: "/search", query, gapMs, headers })
  } else if (random.chance(0.08)) fillForm(sketch, gapMs)
  else sketch.add({ path: pagePath(random), gapMs, headers, status: honestStatus(random) })
}

function fillForm(sketch: SessionSketch, gapMs: number): void {
  const { random } = sketch
  if (random.chance(0.5)) {
    const form = { username: emailOf(random), password: `${random.pick(WORDS)}${random.hex(4)}` }
    const attempts = random.chance(0.15) ? 2 : 1
    for (let i = 0; i < attempts; i++) {
      const status = i + 1 < attempts ? 401 : 302
      sketch.add({ path: "/login", form, gapMs: gapMs + 3_000, status, headers: REFERER })
    }
    return
  }
  const form = { name: random.pick(NAMES), email: emailOf(random), message: sentence(random) }
  sketch.add({ path: "/contact", form, gapMs: gapMs + 20_000, headers: REFERER })
}

function honestStatus(random: Random): number {
  if (random.chance(0.04)) return 404
  if (random.chance(0.06)) return random.pick([301, 302, 304])
  return random.chance(0.004) ? 500 : 200
}

/** A program that uses an API: a token, JSON bodies, steady pace, few user-visible pages. */
export function apiSession(random: Random): Session {
  const headers = {
    accept: "application/json",
    "content-type": "application/json",
    ...(random.chance(0.8) ? { authorization: `Bearer ${random.hex(32)}` } : {}),
  }
  const userAgent = random.pick(API_AGENTS)
  const sketch = new SessionSketch(random, { userAgent, headers, context: honestContext(random) })
  const paceMs = random.around(900, 1.2)
  const calls = Math.min(120, 1 + Math.floor(random.around(8, 1)))
  if (random.chance(0.2)) {
    const json = { client_id: random.hex(12), grant_type: "client_credentials" }
    sketch.add({ path: "/oauth/token", json, gapMs: 0 })
  }
  for (let call = 0; call < calls; call++) callApi(sketch, random.around(paceMs, 0.6))
  return sketch.finish()
}

function callApi(sketch: SessionSketch, gapMs: number): void {
  const { random } = sketch
  const resource = random.pick(["orders", "users", "items", "carts", "invoices"])
  const responseBytes = random.around(900, 1)
  const path = `/api/v${random.between(1, 2)}/${resource}`
  if (random.chance(0.35)) {
    const query = { limit: random.pick([20, 50, 100]), sort: random.pick(["-created", "name"]) }
    sketch.add({ path, query, gapMs, responseBytes })
  } else if (random.chance(0.45)) {
    const json = {
      name: random.pick(NAMES),
      note: sentence(random),
      quantity: random.between(1, 9),
    }
    const status = random.chance(0.05) ? 422 : 201
    const method = random.chance(0.2) ? "PUT" : "POST"
    sketch.add({ path, json, method, gapMs, status, responseBytes })
  } else {
    const method = random.chance(0.06) ? "DELETE" : "GET"
    const item = random.between(1, 90_000)
    const status = random.chance(0.04) ? 404 : 200
    sketch.add({ path: `${path}/${item}`, method, gapMs, status, responseBytes })
  }
}

/** A search engine's crawler: many pages, never a form, robots.txt first, polite delays. */
export function crawlerSession(random: Random): Session {
  const headers = { accept: "*/*", "accept-encoding": "gzip", from: "crawler@example.com" }
  const userAgent = random.pick(CRAWLER_AGENTS)
  const sketch = new SessionSketch(random, { userAgent, headers, context: honestContext(random) })
  if (random.chance(0.7)) sketch.add({ path: "/robots.txt", gapMs: 0, responseBytes: 300 })
  if (random.chance(0.3)) sketch.add({ path: "/sitemap.xml", gapMs: 1_000 })
  const delayMs = random.around(3_000, 0.9)
  const pages = Math.min(200, 2 + Math.floor(random.around(15, 1)))
  for (let page = 0; page < pages; page++) {
    const gapMs = random.around(delayMs, 0.4)
    const query = random.chance(0.15) ? { page: random.between(2, 40) } : {}
    const status = random.chance(0.06) ? 404 : honestStatus(random)
    sketch.add({ path: pagePath(random), query, gapMs, status })
  }
  return sketch.finish()
}

/** A probe: one or two paths at a fixed beat. */
export function monitorSession(random: Random): Session {
  const userAgent = random.pick(MONITOR_AGENTS)
  const headers = random.chance(0.6) ? { accept: "*/*" } : {}
  const sketch = new SessionSketch(random, { userAgent, headers, context: honestContext(random) })
  const path = random.pick(["/health", "/healthz", "/metrics", "/", "/api/status", "/ready"])
  const periodMs = random.pick([5_000, 10_000, 15_000, 30_000, 60_000, 300_000])
  const failing = random.chance(0.05)
  const checks = Math.min(240, 1 + Math.floor(random.around(12, 1)))
  for (let check = 0; check < checks; check++) {
    const status = failing && random.chance(0.4) ? 503 : 200
    const gapMs = check === 0 ? 0 : periodMs + random.uniform(-20, 20)
    sketch.add({ path, gapMs, status, method: "GET", responseBytes: random.around(200, 0.1) })
  }
  return sketch.finish()
}
