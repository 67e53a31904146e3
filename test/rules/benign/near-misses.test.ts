import { describe, expect, test } from "bun:test"
import { benignCorpus } from "../../../src/rules/benign/benign-corpus.ts"
import { NEAR_MISSES, nearMisses } from "../../../src/rules/benign/near-misses.ts"
import { makePattern } from "../../../src/rules/make-pattern.ts"
import { inspectedText, sendingsOf } from "../../../src/rules/sendings.ts"

/** Requests of customers that rules of an earlier version blocked; none is a line of the corpus. */
const CUSTOMERS = [
  '{"where":{"role":"admin","OR":[{"age":1}]}}',
  '{"variables":{"filter":{"name":"admin","and":{"active":true}}}}',
  '{"names":["admin", "and more"]}',
  '"admin" or "moderator"',
  'status = "Open" or assignee = admin',
  '"rock" or "roll" and id = 5',
  "James' and Mary's house",
  '{"text":"open ../etc/passwd"}',
]
const EXPLOITS = [
  ["sql_injection", "1' OR '1'='1"],
  ["sql_injection", "admin' OR '1'='1' --"],
  ["sql_injection", "' OR 1=1--"],
  ["path_traversal", "../../../../etc/passwd"],
  ["command_injection", "; cat /etc/passwd"],
  ["xss", "<img src=x onerror=alert(1)>"],
] as const

const corpora = [benignCorpus("near_misses", nearMisses(NEAR_MISSES))]

describe("nearMisses", () => {
  test("nearMisses gives the same lines for the same seed, and as many as asked for", () => {
    const [one, other] = [1, 1].map((seed) => [...nearMisses({ seed, count: 200 })])
    expect(one).toEqual(other)
    expect(new Set(one).size).toBeGreaterThan(180)
  })

  test.each(EXPLOITS)(
    "a rule for %s %p that meets no near miss blocks no customer",
    (label, payload) => {
      const heard = { relatives: [], heldOut: [], location: "query:q", minimised: undefined }
      const made = makePattern({ class: label, payload, ...heard }, { searched: corpora })
      const regex = new RegExp(made?.pattern ?? "^", "u")
      const sent = (text: string) => sendingsOf(text, "query:q").map(inspectedText)
      expect(sent(payload).every((form) => regex.test(form))).toBe(true)
      const blocked = CUSTOMERS.filter((text) =>
        [text, ...sent(text)].some((form) => regex.test(form)),
      )
      expect(blocked).toEqual([])
    },
  )
})
