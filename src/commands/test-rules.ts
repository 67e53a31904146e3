import { linesOf } from "../connectors/evidence-file.ts"
import { MalformedError } from "../errors.ts"
import { jsonLine } from "../json-line.ts"
import type { Rule } from "../rule.ts"
import { ruleMatcher } from "../rules/rule-matcher.ts"
import { inspectedText, type RawRequest, sendingsOf } from "../rules/sendings.ts"
import { withOperations } from "./operations.ts"
import { printable } from "./printable.ts"
import { decidedRules, ruleOf } from "./rules.ts"
import type { Terminal } from "./terminal.ts"

/**
 * text: as it came over the wire, e.g. a line of an access log. request: JSON of `url`, `body`, `headers`.
 * value: of a parameter, sent in each way in which a client may.
 */
export type LineReading = "text" | "request" | "value"

export interface TestRulesOptions {
  /** Default: all that are decided. */
  readonly rule?: string
  readonly as: LineReading
  readonly json?: boolean
}

interface Matcher {
  readonly rule: Pick<Rule, "rule_id" | "action">
  readonly matches: (text: string) => boolean
}

const TEXT_SHOWN_MAX = 120

/**
 * Holds rules against each line of a file, as Gatekeeper would search it. Decides and sends nothing.
 *
 * @param path `.gz` by name, or `-` for stdin
 * @returns 1 where a rule matched a line
 * @throws MalformedError that names a line, FileUnreadableError, TooLargeError
 */
export async function testRules(
  path: string,
  options: TestRulesOptions,
  terminal: Terminal,
): Promise<number> {
  const matchers = await matchersOf(options, terminal)
  let lines = 0
  let matched = 0
  for await (const line of linesOf(path)) {
    if ("error" in line) throw line.error
    const text = line.bytes.toString()
    const found = hitsOf(requestsOf(text, options.as, line.number), matchers)
    for (const hit of found) {
      const shown = { line: line.number, ...hit, text }
      await terminal.write(options.json === true ? jsonLine(shown) : hitText(shown))
    }
    lines += 1
    if (found.length > 0) matched += 1
  }
  terminal.note(`${matched} of ${lines} lines matched; rules tried: ${matchers.length}\n`)
  return matched === 0 ? 0 : 1
}

async function matchersOf(
  { rule }: Pick<TestRulesOptions, "rule">,
  terminal: Terminal,
): Promise<readonly Matcher[]> {
  let rules: readonly Rule[] = []
  await withOperations(terminal, async (operations) => {
    rules =
      rule === undefined ? await decidedRules(operations) : [(await ruleOf(rule, operations)).rule]
    return 0
  })
  return rules.map((each) => ({ rule: each, matches: ruleMatcher(each.match) }))
}

interface Hit {
  readonly rule_id: string
  readonly action: Rule["action"]
  /** Of the ways in which the line may be sent, those that match, and all. */
  readonly ways: readonly [matched: number, tried: number]
}

function hitsOf(requests: readonly RawRequest[], matchers: readonly Matcher[]): readonly Hit[] {
  const texts = requests.map(inspectedText)
  return matchers.flatMap(({ rule: { rule_id, action }, matches }) => {
    const count = texts.filter(matches).length
    return count === 0 ? [] : [{ rule_id, action, ways: [count, texts.length] as const }]
  })
}

function requestsOf(text: string, as: LineReading, number: number): readonly RawRequest[] {
  switch (as) {
    case "value":
      return sendingsOf(text, "query:q")
    case "text":
      return [{ url: text, body: "", headers: {} }]
    case "request":
      return [readRequest(text, number)]
  }
}

/** As `POST /api/v1/inspect` of Gatekeeper takes it; what else is in it does not matter here. */
function readRequest(text: string, number: number): RawRequest {
  const value = parseJson(text) as Partial<Record<keyof RawRequest, unknown>> | null | undefined
  const { url, body = "", headers = {} } = value ?? {}
  if (typeof url === "string" && typeof body === "string" && isTextByName(headers)) {
    return { url, body, headers }
  }
  throw new MalformedError(`line ${number}`, 'JSON of {"url", "body"?, "headers"?}, all text')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isTextByName(value: unknown): value is Readonly<Record<string, string>> {
  return (
    typeof value === "object" &&
    value !== null &&
    Object.values(value).every((member) => typeof member === "string")
  )
}

function hitText({ line, rule_id, action, ways, text }: Hit & { line: number; text: string }) {
  const [count, tried] = ways
  const share = tried === 1 ? "" : `, sent in ${count} of ${tried} ways`
  return `${printable(`${line}: ${rule_id} (${action}${share}): ${text.slice(0, TEXT_SHOWN_MAX)}`)}\n`
}
