import { describe, expect, test } from "bun:test"
import type { SecondTier } from "../../src/model-traffic.ts"
import { expectError, start } from "../support/api-client.ts"
import { memoryParts } from "../support/api-parts.ts"

const BASE = "/api/v1/sentinel"

/** A second tier that is unsure of what holds a question mark, and agrees. */
function agreeing(): SecondTier & { readonly asked: [string, number][] } {
  const asked: [string, number][] = []
  return {
    asked,
    modelId: "payload-deep/1.0.0",
    isUnsure: () => asked.length === 0,
    async judge({ text }, said, arrivedMs) {
      asked.push([text, arrivedMs])
      return { classification: { ...said, second_model: this.modelId }, cached: false }
    },
  }
}

const answersOne = (_: unknown, sessionId: string | undefined) => sessionId === "one"

describe("predict-payload: the second tier", () => {
  test("createApi asks it where the fast tier is unsure, and only there", async () => {
    const second = agreeing()
    const { post } = start({ secondTier: { live: second } })
    const unsure = await post(`${BASE}/predict-payload`, { payload: "perhaps" })
    const sure = await post(`${BASE}/predict-payload`, { payload: "surely" })
    expect([unsure.json.second_model, sure.json.second_model]).toEqual([
      "payload-deep/1.0.0",
      undefined,
    ])
    expect(second.asked.map(([text]) => text)).toEqual(["perhaps"])
  })

  test("createApi counts the deadline from before the body was read", async () => {
    const second = agreeing()
    const { post } = start({ secondTier: { live: second } })
    const beforeMs = performance.now()
    await post(`${BASE}/predict-payload`, { payload: "x", tier: "deep" })
    const [[, arrivedMs] = ["", 0]] = second.asked
    expect(arrivedMs).toBeGreaterThanOrEqual(beforeMs)
    expect(arrivedMs).toBeLessThanOrEqual(performance.now())
  })

  test("createApi asks it whenever the client says so, and never where it says fast", async () => {
    const second = agreeing()
    const { post } = start({ secondTier: { live: second } })
    for (const tier of ["fast", "deep", "deep"]) {
      await post(`${BASE}/predict-payload`, { payload: tier, tier })
    }
    expect(second.asked.map(([text]) => text)).toEqual(["deep", "deep"])
  })

  test("createApi asks one that is on trial, and answers by it the sessions that are its own", async () => {
    const second = { ...agreeing(), isUnsure: () => true, answers: answersOne }
    const { post } = start({ secondTier: { live: second } })
    const ask = async (session_id: string, tier?: string) => {
      const body = { payload: "perhaps", context: { session_id }, ...(tier && { tier }) }
      const { json } = await post(`${BASE}/predict-payload`, body)
      return [json.second_model, json.degraded]
    }
    expect(await ask("one")).toEqual(["payload-deep/1.0.0", undefined])
    expect(await ask("other")).toEqual([undefined, undefined])
    expect(await ask("other", "deep")).toEqual([undefined, true])
    expect(second.asked).toHaveLength(3)
  })

  test("createApi says degraded to who asks for it where there is none, and counts it", async () => {
    const { parts } = memoryParts()
    const { post } = start({ telemetry: parts.telemetry })
    const asked = await post(`${BASE}/predict-payload`, { payload: "x", tier: "deep" })
    const plain = await post(`${BASE}/predict-payload`, { payload: "x" })
    expect([asked.json.degraded, plain.json.degraded]).toEqual([true, undefined])
    expect(await parts.telemetry.render()).toContain(
      'cerberus_sentinel_second_tier_total{outcome="skipped"} 1',
    )
  })

  test("createApi leaves alone what rules or a model in another's place said", async () => {
    const second = agreeing()
    const { parts } = memoryParts()
    const { classifier } = parts
    const { post } = start({
      secondTier: { live: second },
      classifier: {
        ...classifier,
        lookup: (input) => {
          const answer = classifier.lookup(input)
          return { ...answer, classification: { ...answer.classification, degraded: true } }
        },
      },
    })
    await post(`${BASE}/predict-payload`, { payload: "x", tier: "deep" })
    expect(second.asked).toEqual([])
  })

  test("createApi gives all payloads of a batch one deadline, and keeps their order", async () => {
    const second = agreeing()
    const { post } = start({ secondTier: { live: second } })
    const payloads = ["a", { payload: "b" }, 7, "c"]
    const { json } = await post(`${BASE}/predict-payload/batch`, { payloads, tier: "deep" })
    expect(json.results.map((result: Record<string, unknown>) => result.second_model)).toEqual([
      ...["payload-deep/1.0.0", "payload-deep/1.0.0", undefined, "payload-deep/1.0.0"],
    ])
    expect([json.count, json.failed]).toEqual([4, 1])
    expect(new Set(second.asked.map(([, arrivedMs]) => arrivedMs)).size).toBe(1)
  })

  test("createApi refuses a tier that it does not know", async () => {
    const { post } = start()
    expectError(await post(`${BASE}/predict-payload`, { payload: "x", tier: "wide" }), [
      ...([422, "MALFORMED", "tier"] as const),
    ])
  })
})

describe("models/rollback: the second tier", () => {
  test("createApi passes on which tier is meant", async () => {
    const tiers: unknown[] = []
    const { parts } = memoryParts()
    const { models } = parts.operating
    if (models === undefined) throw new Error("the test's parts serve models")
    const { post } = start({
      operating: {
        ...parts.operating,
        models: {
          ...models,
          rollback(reason, tier) {
            tiers.push(tier)
            return models.rollback(reason)
          },
        },
      },
    })
    await post(`${BASE}/models/rollback`, { tier: "deep" })
    await post(`${BASE}/models/rollback`, {})
    expect(tiers).toEqual(["deep", undefined])
  })
})
