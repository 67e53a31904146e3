import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { VARIABLES } from "../src/config/variables.ts"
import { readConfig } from "../src/config.ts"
import { ConfigInvalidError } from "../src/errors.ts"

function problems(env: Readonly<Record<string, string>>): readonly string[] {
  try {
    readConfig(env)
    return []
  } catch (error) {
    if (error instanceof ConfigInvalidError) return error.problems
    throw error
  }
}

describe("readConfig", () => {
  test("readConfig needs no variable, and takes every default as if it had been written", () => {
    const written = Object.fromEntries(VARIABLES.map(({ name, default: value }) => [name, value]))
    expect(readConfig(written)).toEqual(readConfig({}))
    expect(readConfig({}).kafka).toBeUndefined()
    expect(readConfig({}).minio).toBeUndefined()
  })

  test.each([
    ["SENTINEL_PORT", "65536"],
    ["SENTINEL_PORT", "80.5"],
    ["SENTINEL_SIMULATE_THRESHOLD", "NaN"],
    ["SENTINEL_PAYLOAD_WEIGHT", "1.1"],
    ["SENTINEL_RETENTION_DAYS", "-7"],
    ["SENTINEL_CACHE_ENTRIES", "100001"],
    ["SENTINEL_API_TOKEN", "two words"],
    ["SENTINEL_API_TOKEN", "tokén"],
    ["KAFKA_BOOTSTRAP_SERVERS", "kafka"],
    ["KAFKA_BOOTSTRAP_SERVERS", "a:9092,"],
    ["SENTINEL_ANALYSIS_THREADS", "65"],
    ["MINIO_SECURE", "yes"],
    ["SENTINEL_ALERT_THRESHOLD", "1.5"],
  ])("readConfig names %s and never shows its value %j", (name, value) => {
    const found = problems({ [name]: value })
    expect(found).toHaveLength(1)
    expect(found[0]).toStartWith(`${name}: `)
    expect(found[0]).not.toContain(value)
  })

  test.each([
    ["https://alerts.example:8443/hook/T0K3N", true],
    ["http://127.0.0.1:9000/hook", true],
    ["http://[::1]:9000/", true],
    ["http://localhost/hook", true],
    ["http://alerts.example/hook", false],
    ["http://127.0.0.1.alerts.example/hook", false],
    ["https://user:password@alerts.example/", false],
    ["ftp://alerts.example/", false],
    ["alerts.example/hook", false],
  ])("readConfig takes the webhook %s: %p", (url, isTaken) => {
    const secret = { SENTINEL_ALERT_WEBHOOK_SECRET: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" }
    const found = problems({ SENTINEL_ALERT_WEBHOOK_URL: url, ...secret })
    expect(found).toHaveLength(isTaken ? 0 : 1)
    if (!isTaken) expect(found[0]).not.toContain("alerts.example")
  })

  test.each([
    ["sixteen-letters-", true],
    ["the-new-secret-of-two,the-old-secret-of-two", true],
    ["", false],
    ["short", false],
    ["the-new-secret-of-two,", false],
    ["whsec_c2hvcnQ=", false],
    ["whsec_*not*base64*not*base64*", false],
  ])("readConfig takes the webhook's secret %j: %p", (secret, isTaken) => {
    const url = "https://alerts.example/hook"
    const env = { SENTINEL_ALERT_WEBHOOK_URL: url, SENTINEL_ALERT_WEBHOOK_SECRET: secret }
    expect(problems(env)).toHaveLength(isTaken ? 0 : 1)
  })

  test("readConfig reports all problems together", () => {
    const env = { SENTINEL_TAG_THRESHOLD: "0.9", MINIO_ENDPOINT: "http://minio:9000" }
    expect(problems(env).map((line) => line.split(":")[0])).toEqual([
      "SENTINEL_TAG_THRESHOLD",
      "MINIO_ENDPOINT",
      "MINIO_ACCESS_KEY",
      "MINIO_SECRET_KEY",
    ])
  })

  test("readConfig answers or throws ConfigInvalidError, whatever the variables hold", () => {
    const names = VARIABLES.map(({ name }) => name)
    const env = fc.dictionary(fc.constantFrom(...names), fc.string())
    fc.assert(fc.property(env, (given) => void problems(given)))
  })
})
