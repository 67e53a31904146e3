import { describe, expect, setDefaultTimeout, test } from "bun:test"
import { benignCorpus } from "../../src/rules/benign/benign-corpus.ts"
import { makePattern, type PatternTask } from "../../src/rules/make-pattern.ts"
import { isPatternSafe } from "../../src/rules/pattern/check-pattern.ts"
import { blocks } from "./synthesis/laboratory.ts"

const TASK: PatternTask = {
  class: "sql_injection",
  payload: "x' union select 1,2 from users -- a long tail",
  minimised: "' union select 1 from users",
  location: "query:q",
  relatives: ["' union all select null from users#"],
  heldOut: ["1' union/**/select a from users", "' or 1=1 -- "],
}
const NOTHING = benignCorpus("none", [])

// the machine may be busy: time is judged in bench/ alone
setDefaultTimeout(120_000)

describe("makePattern", () => {
  test("makePattern counts which relatives the pattern finds, seen and unseen", () => {
    const made = makePattern(TASK, { searched: [NOTHING] })
    expect(made?.matched).toBe(1)
    expect(made?.heldOutMatched).toBe(1)
  })

  test("makePattern matches the whole payload, though it reads the minimised one first", () => {
    const made = makePattern(TASK, { searched: [NOTHING] })
    expect(blocks(made?.pattern ?? "", TASK.payload)).toBe(true)
    expect(made?.tokens.flat()).not.toContain("cut")
  })

  test("makePattern gives way to benign texts of every corpus", () => {
    const benign = "please' union select a delegate from users"
    const general = makePattern(TASK, { searched: [NOTHING] })?.pattern ?? ""
    const made =
      makePattern(TASK, { searched: [NOTHING, benignCorpus("stored", [benign])] })?.pattern ?? ""
    expect(blocks(general, benign)).toBe(true)
    expect(blocks(made, benign)).toBe(false)
    expect(blocks(made, TASK.payload)).toBe(true)
  })

  test("makePattern gives way to texts that were held back from the search", () => {
    const benign = "please' union select a delegate from users"
    const heldBack = [benignCorpus("held back", [benign])]
    const made = makePattern(TASK, { searched: [NOTHING], heldBack })?.pattern ?? ""
    expect(blocks(made, benign)).toBe(false)
    expect(blocks(made, TASK.payload)).toBe(true)
  })

  test("makePattern makes none where the exploit itself was held back as benign", () => {
    const heldBack = [benignCorpus("held back", [TASK.payload])]
    expect(makePattern(TASK, { searched: [NOTHING], heldBack })).toBeUndefined()
  })

  test("makePattern makes none where the exploit itself is benign", () => {
    expect(
      makePattern(TASK, { searched: [benignCorpus("stored", [TASK.payload])] }),
    ).toBeUndefined()
  })

  test("makePattern takes the text of an exploit whose tokens say too little", () => {
    const payload = "holidays-in-the-sun"
    const task = { ...TASK, class: "path_traversal" as const, payload, minimised: undefined }
    const made = makePattern({ ...task, relatives: [], heldOut: [] }, { searched: [NOTHING] })
    expect(made?.limits).toContain("any other spelling of it")
    expect(blocks(made?.pattern ?? "", payload)).toBe(true)
  })

  test("makePattern reads what an application decodes", () => {
    const payload = "%27%20union%20select%201%2c2%20from%20users"
    const made = makePattern({ ...TASK, payload, minimised: undefined }, { searched: [NOTHING] })
    expect(blocks(made?.pattern ?? "", payload)).toBe(true)
    expect(blocks(made?.pattern ?? "", "' union select 1,2 from users")).toBe(true)
  })

  test("makePattern makes patterns that pass the checks, or none, whatever it is given", () => {
    const floods = ["';|&", "../%25", "<a onx=", "\0\ud800 ${"]
    for (const label of ["sql_injection", "xss", "command_injection", "path_traversal"] as const) {
      for (const flood of floods) {
        const payload = flood.repeat(20)
        const task = { ...TASK, class: label, payload, minimised: undefined, heldOut: [] }
        const made = makePattern({ ...task, relatives: [] }, { searched: [NOTHING] })
        if (made !== undefined) expect(isPatternSafe(made.pattern)).toBe(true)
      }
    }
  })
})
