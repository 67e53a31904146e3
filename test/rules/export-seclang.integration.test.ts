import { describe, expect, test } from "bun:test"
import type { Rule } from "../../src/rule.ts"
import { BENIGN_LINES, generatedBenign } from "../../src/rules/benign/generated-benign.ts"
import { exportSecLang } from "../../src/rules/export-seclang.ts"
import { ruleMatcher } from "../../src/rules/rule-matcher.ts"
import { inspectedText, type RawRequest, sendingsOf } from "../../src/rules/sendings.ts"
import { VALUE_END } from "../../src/rules/synthesis/value-start.ts"
import type { SimulatedClass } from "../../src/twin-protocol.ts"
import { ruleEngines } from "../support/rule-engines/engines.ts"
import { someRule } from "../support/some-rule.ts"
import { FAMILIES } from "./synthesis/families.ts"
import { patternFor } from "./synthesis/laboratory.ts"

const BENIGN = 1_000
const PLACES = ["query:q", "path:1", "header:referer", "cookie:theme"]
const engines = await ruleEngines()
const benign = [...generatedBenign({ ...BENIGN_LINES, count: BENIGN })].map((text) =>
  text.toWellFormed(),
)
const families = Object.entries(FAMILIES).flatMap(([label, of]) =>
  of.map((family) => ({ label: label as SimulatedClass, ...family })),
)
const rules = families.map(({ label, exploit, made, benign: look }, index) => {
  const pattern = patternFor(label, exploit, { relatives: made, benign: [...look, ...benign] })
  return blocking(`sentinel-${index}`, { type: "regex", pattern })
})

function blocking(ruleId: string, match: Pick<Rule["match"], "type" | "pattern">): Rule {
  const location = ["args", "body", "uri"] as const
  return someRule({ rule_id: ruleId, match: { ...match, location, flags: { caseless: false } } })
}

/** Gatekeeper searches the whole request, whatever place a rule was made for. */
function requestsOf(texts: readonly string[]): readonly RawRequest[] {
  return PLACES.flatMap((place) => texts.flatMap((text) => sendingsOf(text, place)))
}

describe.skipIf(engines === undefined)("exportSecLang", () => {
  test("Coraza loads the rules, denies the attacks that Gatekeeper does and passes what is benign", async () => {
    const attacks = families.flatMap(({ exploit, made, unseen }) => [exploit, ...made, ...unseen])
    const matchers = rules.map(({ match }) => ruleMatcher(match))
    const isBlocked = (request: RawRequest) =>
      matchers.some((matches) => matches(inspectedText(request)))
    const [bad, good] = [requestsOf(attacks).filter(isBlocked), requestsOf(benign)]
    expect(bad.length).toBeGreaterThan(6 * attacks.length)
    expect(good.filter(isBlocked)).toEqual([])
    const denied = (await engines?.coraza(exportSecLang(rules), [...bad, ...good])) ?? []
    expect(bad.filter((_, index) => denied[index] === 0).map(inspectedText)).toEqual([])
    expect(good.filter((_, index) => denied[bad.length + index] !== 0).map(inspectedText)).toEqual(
      [],
    )
  }, 300_000)

  test("Coraza finds the end of a value at the end of a variable, not of a line or before more text", async () => {
    const pattern = patternFor("command_injection", ";date", {
      benign: ["id;name;date", "the time; date", "date"],
    })
    expect(pattern).toEndWith(VALUE_END)
    const directives = exportSecLang([blocking("sentinel-end", { type: "regex", pattern })])
    const bad = sendingsOf(";date", "query:q")
    const good = [";date-of-birth", "\n;date\nof birth", "the time\n;date"].flatMap((text) =>
      sendingsOf(text, "query:q"),
    )
    const isFound = [...bad, ...good].map((request) =>
      new RegExp(pattern, "u").test(inspectedText(request)),
    )
    expect(isFound).toEqual([...bad.map(() => true), ...good.map(() => false)])
    const denied = (await engines?.coraza(directives, [...bad, ...good])) ?? []
    expect(denied.map((rule) => rule > 0)).toEqual(isFound)
  }, 300_000)

  test("Coraza reads quotes, percent signs and braces of a pattern as they are", async () => {
    const string = blocking("sentinel-string", { type: "string", pattern: `x="%{MATCHED_VAR}'\\` })
    const requests = ["/?q=x=%22%25{MATCHED_VAR}'%5c", "/?q=x=%22%25{}'%5c"].map((url) => ({
      ...{ url, body: "", headers: {} },
    }))
    const denied = (await engines?.coraza(exportSecLang([string]), requests)) ?? []
    expect(denied.map((rule) => rule > 0)).toEqual([true, false])
  }, 300_000)

  test("Coraza denies what stands in a name: of a header, of a field of JSON, of a form, of a file", async () => {
    const string = blocking("sentinel-name", { type: "string", pattern: "aTTack" })
    const form = 'form-data; name="aTTack"\r\n\r\n1\r\n--b--\r\n'
    const requests = [
      { body: "", headers: { "x-aTTack": "1" } },
      { body: '{"aTTack":1}', headers: { "content-type": "application/json" } },
      { body: "aTTack=1", headers: { "content-type": "application/x-www-form-urlencoded" } },
      {
        body: `--b\r\nContent-Disposition: ${form}`,
        headers: { "content-type": "multipart/form-data; boundary=b" },
      },
      { body: "aTTack", headers: { "content-type": "text/plain" } },
    ].map((request) => ({ url: "/", ...request }))
    const denied = (await engines?.coraza(exportSecLang([string]), requests)) ?? []
    expect(denied.map((rule) => rule > 0)).toEqual(requests.map(() => true))
  }, 300_000)

  test("Coraza lets pass what a rule only logs", async () => {
    const logging = rules.map((rule) => ({ ...rule, action: "log" as const }))
    const requests = requestsOf(families.map(({ exploit }) => exploit))
    const denied = (await engines?.coraza(exportSecLang(logging), requests)) ?? []
    expect(denied.filter((rule) => rule > 0)).toEqual([])
  }, 300_000)
})
