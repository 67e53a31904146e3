import { afterAll, describe, expect, test } from "bun:test"
import { startIsolatedTwin } from "../../support/isolated-twin.ts"

/** Goal: a page that owns the twin's process cannot say that nothing happened. Method: the program. */

const twin = await startIsolatedTwin("xss", { program: true })
afterAll(() => twin?.close())
const TIMEOUT_MS = 60_000

async function attemptsOf(code: string, template = "body") {
  const payload = template === "body" ? `<script>${code}</script>` : code
  const answer = await twin?.run({ payload, templates: [template, "comment"], budgetMs: 5_000 })
  if (answer === undefined) throw new Error("no isolated twin")
  expect(answer.controlAttempts).toEqual([])
  return answer.attempts.map((attempt) => [attempt.template, attempt.effects[0]?.kind])
}

const HOST = "var host=alert.constructor('return this')()"
const FORGED = JSON.stringify({ id: "1", class: "xss", attempts: [], controlAttempts: [] })
const EMPTY = `v=>{if(v&&v.answer)v.answer.attempts=[];if(v&&v.attempt)v.attempt.effects=[]}`

describe.skipIf(twin === undefined)("domTwin, of a page that leaves jsdom", () => {
  test.each([
    [
      "replaces JSON.stringify",
      `${HOST};var s=host.JSON.stringify;host.JSON.stringify=function(v)` +
        `{(${EMPTY})(v);return s.apply(this,arguments)};alert(1)`,
    ],
    ["ends the process", `${HOST};host.process.exit(0)`],
    ["writes an answer", `${HOST};host.process.stdout.write('${FORGED}\\n')`],
    ["gives every object a toJSON", "alert.__proto__.__proto__.toJSON=()=>({});alert(1)"],
    [
      "takes call and apply away",
      "var f=document.createElement.__proto__;f.call=f.apply=0;alert(1)",
    ],
    [
      "takes the arrays' methods away",
      "var a=document.body.constructor.__proto__.__proto__.__proto__" +
        ".constructor.keys({}).__proto__;a.push=()=>0;a[Symbol.iterator]=()=>{throw 1};alert(1)",
    ],
    [
      "reaches out where the stack ends",
      "(function f(){try{document.createElement('a');f()}catch(e){" +
        "e.constructor.constructor('return process')().exit(0)}})()",
    ],
    ["spins outside", "document.createElement.constructor('for(;;);')()"],
    [
      "tampers in what it is asked for",
      "alert({toString(){alert.__proto__.__proto__.toJSON=()=>0}})",
    ],
  ])(
    "counts a script that %s",
    async (_, code) => {
      expect(await attemptsOf(code)).toContainEqual(["body", "script_run"])
    },
    TIMEOUT_MS,
  )

  test(
    "counts a handler that leaves as a handler",
    async () => {
      const handler = "<img src=x onerror=\"alert.constructor('return process')().exit(0)\">"
      expect(await attemptsOf(handler, "title")).toEqual([])
      expect(await attemptsOf(`</title>${handler}`, "title")).toEqual([
        ["title", "handler_reachable"],
      ])
    },
    TIMEOUT_MS,
  )

  test(
    "shows a script that asks for it the name of a browser",
    async () => {
      const code = "/jsdom/.test(navigator.userAgent)||alert(1)"
      expect(await attemptsOf(code)).toContainEqual(["body", "script_run"])
    },
    TIMEOUT_MS,
  )

  test(
    "has no effect for a script that stays and does nothing",
    async () => {
      expect(await attemptsOf("var f=function(){};new f.constructor('return 1')()")).toEqual([])
    },
    TIMEOUT_MS,
  )
})
