import { expect, test } from "bun:test"
import type { AlertOccurrence } from "../../../src/alert.ts"
import { alertSinks } from "../../../src/compose/alerts/alert-sinks.ts"
import { UnavailableError } from "../../../src/errors.ts"
import { explainedVerdict } from "../../store/verdicts.ts"
import { operatorContext } from "../../support/operator-context.ts"
import { simulationTask } from "../../support/simulation-task.ts"
import { someRule } from "../../support/some-rule.ts"

const decided = { rule: someRule(), decision: "auto_applied", reasons: [] } as const
const recorded = { task: simulationTask("event-1"), completed: [], rules: [decided] }

test("alertSinks raise what the threshold lets through, and what the policy decided", async () => {
  const raised: AlertOccurrence[] = []
  const raise = async (occurrence: AlertOccurrence) => void raised.push(occurrence)
  const sinks = alertSinks({ threshold: 0.6, raise, onLost: () => undefined })
  await sinks.verdicts.write(explainedVerdict("event-1"), operatorContext())
  await sinks.simulations.write(recorded, operatorContext())
  expect(raised.map(({ word, id }) => `${word} ${id}`)).toEqual([
    "tag event-1",
    "auto_applied sentinel-sql-0001",
  ])
})

test("alertSinks never fail: what cannot be kept is told of, and the record goes on", async () => {
  const lost: unknown[] = []
  const raise = () => Promise.reject(new UnavailableError("the store"))
  const sinks = alertSinks({ threshold: 0, raise, onLost: (error) => lost.push(error) })
  await sinks.verdicts.write(explainedVerdict("event-1"), operatorContext())
  await sinks.simulations.write(recorded, operatorContext())
  expect(lost).toHaveLength(2)
})
