import { describe, expect, test } from "bun:test"
import { expectError, start } from "../support/api-client.ts"

const BATCH = "/api/v1/sentinel/predict-payload/batch"

describe("POST predict-payload/batch", () => {
  test("createApi answers each payload at its place, texts and objects alike", async () => {
    const { post, seen } = start()
    const payloads = ["plain", { payload: "o'brien" }, { payload: "x", context: { param: "q" } }]
    const { status, json } = await post(BATCH, { payloads })
    expect(status).toBe(200)
    expect(json).toMatchObject({ count: 3, failed: 0 })
    expect(json.results.map((result: { class: string }) => result.class)).toEqual([
      "benign",
      "sql_injection",
      "benign",
    ])
    expect(seen.classified).toEqual([
      { text: "plain" },
      { text: "o'brien" },
      { text: "x", context: { param: "q" } },
    ])
  })

  test("createApi names a payload that it cannot read by its index, and judges the others", async () => {
    const { post } = start()
    const { status, json } = await post(BATCH, {
      payloads: ["a", { payload: 7 }, null, { payload: "b", context: { kind: "nose" } }, "c"],
    })
    expect(status).toBe(200)
    expect(json).toMatchObject({ count: 5, failed: 3 })
    const fields = json.results.map((result: { error?: { field: string } }) => result.error?.field)
    expect(fields).toEqual([
      undefined,
      "payloads.1.payload",
      "payloads.2",
      "payloads.3.context.kind",
      undefined,
    ])
  })

  test("createApi explains every payload of a batch that asks for it", async () => {
    const signatures = () => ({ class: "xss", matched: ["script_tag"] })
    const { post } = start({ signatures })
    const { json } = await post(BATCH, { payloads: ["a", "b"], explain: true })
    for (const result of json.results) {
      expect(result).toMatchObject({ spans: [], signatures: { class: "xss", agrees: false } })
    }
  })

  test("createApi takes 1,000 payloads and refuses none and one more", async () => {
    const { post } = start()
    const many = (count: number) => ({ payloads: Array.from({ length: count }, String) })
    expect((await post(BATCH, many(1_000))).json.count).toBe(1_000)
    expectError(await post(BATCH, many(0)), [422, "MALFORMED", "payloads"])
    expectError(await post(BATCH, many(1_001)), [422, "MALFORMED", "payloads"])
  })

  test("createApi refuses a batch beyond 4 MiB", async () => {
    const { post } = start()
    const payloads = ["x".repeat(4 * 1_024 * 1_024)]
    expectError(await post(BATCH, { payloads }), [413, "TOO_LARGE", "body"])
  })

  test("createApi answers an error, never benign, for each payload that the model fails on", async () => {
    const lookup = () => {
      throw new Error("weights of /secret/path are gone")
    }
    const { parts } = start()
    const { post } = start({ classifier: { ...parts.classifier, lookup } })
    const { json, text } = await post(BATCH, { payloads: ["a", "b"] })
    expect(json.failed).toBe(2)
    expect(json.results[0].error).toMatchObject({ code: "UNAVAILABLE", field: "payloads.0" })
    expect(text).not.toContain("secret")
  })
})
