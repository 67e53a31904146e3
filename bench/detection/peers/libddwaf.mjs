// Judges texts with libddwaf and the rules that come with Datadog's tracer.
//
//   node libddwaf.mjs DIRECTORY < rows > judgements
//
// DIRECTORY holds node_modules/@datadog/native-appsec and recommended.json. Input: JSON lines
// {"text", "kind"}. Output: as many JSON lines {"class", "score": null, "us"}.
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import { createInterface } from "node:readline"

const TIMEOUT_US = 1_000_000

const [directory = "."] = process.argv.slice(2)
const { DDWAF } = createRequire(join(directory, "index.js"))("@datadog/native-appsec")
const rules = JSON.parse(readFileSync(join(directory, "recommended.json"), "utf8"))
const waf = new DDWAF(rules, "recommended")

/** Types of its rules by the class of attack that they stand for; others are `other_attack`. */
const CLASS_OF_TYPE = {
  sql_injection: "sql_injection",
  xss: "xss",
  command_injection: "command_injection",
  lfi: "path_traversal",
}

/** Its addresses hold what a framework has decoded: once, as for every peer. */
function addressesOf({ text, kind }) {
  const decoded = decodeOnce(text)
  if (kind === "header") return { "server.request.headers.no_cookies": { referer: text } }
  if (kind === "body") return { "server.request.body": { q: decoded } }
  if (kind === "path") return { "server.request.uri.raw": text, ...query({ path: decoded }) }
  if (kind === "request") {
    return { "server.request.uri.raw": text, ...query(Object.fromEntries(fieldsOf(text))) }
  }
  return query({ q: decoded }) // cookies too: few of its rules read them
}

function query(fields) {
  return { "server.request.query": fields }
}

function fieldsOf(text) {
  return new URLSearchParams(text.slice(text.indexOf("?") + 1)).entries()
}

function decodeOnce(text) {
  try {
    return decodeURIComponent(text.replaceAll("+", " "))
  } catch {
    return text
  }
}

function judge(row) {
  const context = waf.createContext()
  const { events = [] } = context.run({ persistent: addressesOf(row) }, TIMEOUT_US)
  context.dispose()
  const types = events.map((event) => event.rule.tags.type)
  if (types.length === 0) return "benign"
  const known = types.find((type) => Object.hasOwn(CLASS_OF_TYPE, type))
  return known === undefined ? "other_attack" : CLASS_OF_TYPE[known]
}

for await (const line of createInterface({ input: process.stdin })) {
  const row = JSON.parse(line)
  const began = performance.now()
  const name = judge(row)
  const us = (performance.now() - began) * 1_000
  process.stdout.write(`${JSON.stringify({ class: name, score: null, us })}\n`)
}
