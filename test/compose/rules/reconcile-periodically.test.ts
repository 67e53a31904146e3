import { expect, test } from "bun:test"
import { keepReconciled } from "../../../src/compose/rules/reconcile-periodically.ts"
import type { Reconciliation } from "../../../src/compose/rules/rule-reconciler.ts"
import { createLogger } from "../../../src/log.ts"
import { FakeClock } from "../../support/fake-clock.ts"
import { someRule } from "../../support/some-rule.ts"

const CLEAN: Reconciliation = {
  drift: { missing: [], changed: [], surplus: [], foreign: [] },
  failures: [],
}
const AWAY: Reconciliation = { drift: undefined, failures: ["UNAVAILABLE"] }
const FORGOT: Reconciliation = {
  drift: { missing: [someRule()], changed: [], surplus: [], foreign: [] },
  failures: [],
}

/** Runs through `rounds`, then ends. */
async function keep(rounds: readonly Reconciliation[]) {
  const clock = new FakeClock()
  const lines: string[] = []
  const log = createLogger({ nowMs: () => 0, write: (line) => lines.push(line) })
  const { promise, resolve } = Promise.withResolvers<void>()
  let runs = 0
  const reconciler = {
    async run() {
      runs += 1
      if (runs === rounds.length) resolve()
      return rounds[runs - 1] ?? CLEAN
    },
  }
  const end = keepReconciled({ reconciler, clock, log })
  await clock.settle(promise)
  await clock.quiet()
  end()
  await clock.quiet()
  return { runs, lines, sleepsMs: clock.sleepsMs }
}

test("keepReconciled asks every 30 s, and after a failure sooner, then less and less", async () => {
  const rounds = [CLEAN, ...Array.from({ length: 7 }, () => AWAY), CLEAN, AWAY]
  const { sleepsMs, lines, runs } = await keep(rounds)
  const expected = [30, 1, 2, 4, 8, 16, 30, 30, 30, 1]
  expect(sleepsMs.map((ms) => ms / 1_000)).toEqual(expected)
  expect(runs).toBe(rounds.length)
  // each outage is told once
  expect(lines).toHaveLength(2)
})

test("keepReconciled tells what Gatekeeper did not hold", async () => {
  const { lines } = await keep([FORGOT, CLEAN])
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ missing: 1, changed: 0 }])
})
