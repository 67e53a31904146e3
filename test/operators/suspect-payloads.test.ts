import { describe, expect, test } from "bun:test"
import { suspectPayloads } from "../../src/operators/suspect-payloads.ts"
import { prediction } from "../support/judged-evidence.ts"

describe("suspectPayloads", () => {
  test("suspectPayloads keeps the payloads whole, the surest first", () => {
    const long = `${"x".repeat(200)}' OR 1=1--`
    const suspects = suspectPayloads(
      [
        prediction(0.4, { text: "calm" }),
        prediction(0.7, { id: "p1", text: long }),
        prediction(0.99, { id: "p2", text: "1 UNION SELECT 1", location: "query:id" }),
      ],
      0.5,
    )
    expect(suspects).toEqual([
      {
        ...{ payload_id: "p2", value: "1 UNION SELECT 1", class: "sql_injection" },
        ...{ confidence: 0.99, location: "query:id", kind: "param" },
      },
      {
        ...{ payload_id: "p1", value: long, class: "sql_injection" },
        ...{ confidence: 0.7, location: "query:q", kind: "param" },
      },
    ])
  })

  test("suspectPayloads leaves out classes without a twin", () => {
    const other = { ...prediction(0.99), class: "other_attack" }
    expect(suspectPayloads([other], 0.5)).toEqual([])
  })

  test("suspectPayloads takes equal texts of one kind once, and ten at most", () => {
    const equal = Array.from({ length: 30 }, (_, index) =>
      prediction(0.9, { id: `p${index}`, text: "same", location: `query:${index}` }),
    )
    expect(suspectPayloads(equal, 0.5)).toHaveLength(1)
    const cookie = prediction(0.8, { text: "same", kind: "cookie" })
    expect(suspectPayloads([...equal, cookie], 0.5)).toHaveLength(2)
    const distinct = equal.map((given, index) => ({
      ...given,
      payload: { ...given.payload, text: `text ${index}` },
    }))
    expect(suspectPayloads(distinct, 0.5)).toHaveLength(10)
  })

  test("suspectPayloads cuts and marks what is too large for a twin", () => {
    const fits = "é".repeat(8_192)
    const large = `${fits}!`
    const suspects = suspectPayloads(
      [prediction(0.9, { text: fits }), prediction(0.8, { text: large })],
      0.5,
    )
    expect(suspects).toMatchObject([{ value: fits }, { value: "é".repeat(100), truncated: true }])
    expect(suspects[0]).not.toHaveProperty("truncated")
  })

  test("suspectPayloads stays small enough for a message, however a text is escaped", () => {
    const controls = Array.from({ length: 10 }, (_, index) =>
      prediction(0.9, { text: `${index}`.padEnd(16_000, "\u0001") }),
    )
    const suspects = suspectPayloads(controls, 0.5)
    expect(suspects).toHaveLength(10)
    expect(JSON.stringify(suspects).length).toBeLessThan(300_000)
    expect(suspects.some(({ truncated }) => truncated === true)).toBe(true)
  })
})
