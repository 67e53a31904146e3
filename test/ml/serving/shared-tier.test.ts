import { expect, test } from "bun:test"
import type { Classification } from "../../../src/events.ts"
import { SharedTier } from "../../../src/ml/serving/shared-tier.ts"
import type { SecondTier } from "../../../src/model-traffic.ts"

const SAID: Classification = {
  ...{ class: "xss", confidence: 0.7, probabilities: { xss: 0.7, benign: 0.3 } },
  ...{ method: "ml", model: "m/1" },
}

/** Says benign of what holds a plus, agrees otherwise, and is late for what is empty. */
const TIER: SecondTier = {
  modelId: "deep/1",
  isUnsure: () => true,
  async judge({ text }, said) {
    if (text === "") return { classification: { ...said, degraded: true }, cached: false }
    const changed = text.includes("+") ? { class: "benign" as const } : {}
    return { classification: { ...said, ...changed, second_model: "deep/1" }, cached: false }
  },
}

test("SharedTier answers its share of the sessions, which keep their side while it grows", () => {
  const sessions = Array.from({ length: 2_000 }, (_, at) => `s${at}`)
  const answered = (percent: number) => {
    const tier = new SharedTier(TIER, percent)
    return sessions.filter((session) => tier.answers({ text: "x" }, session))
  }
  const [none, some, more, all] = [0, 10, 50, 100].map(answered)
  expect([none?.length, all?.length]).toEqual([0, 2_000])
  // five standard deviations about a tenth
  expect(Math.abs((some?.length ?? 0) - 200)).toBeLessThan(5 * Math.sqrt(2_000 * 0.1 * 0.9))
  expect(some?.every((session) => more?.includes(session))).toBe(true)
})

test("SharedTier tells payloads apart where no session is named", () => {
  const tier = new SharedTier(TIER, 50)
  const texts = Array.from({ length: 100 }, (_, at) => `text ${at}`)
  const answered = texts.filter((text) => tier.answers({ text }, undefined))
  expect(answered.length).toBeGreaterThan(20)
  expect(answered.length).toBeLessThan(80)
})

test("SharedTier holds what both say together against the fast tier, and leaves out what was late", async () => {
  const tier = new SharedTier(TIER, 0)
  for (const text of ["a", "b+", ""]) await tier.judge({ text }, SAID, 0)
  const { compared, disagreed } = tier.comparison.agreement()
  expect([compared, disagreed]).toEqual([2, 1])
  expect(tier.comparison.examples()).toMatchObject([
    { payload: "b+", reference: "xss", trial: "benign" },
  ])
})
