import { expect, test } from "bun:test"
import { compareFigures } from "../../../src/ml/serving/compare-figures.ts"
import type { ModelDescription } from "../../../src/ml/serving/model-catalog.ts"
import type { JudgedSet } from "../../../src/model-traffic.ts"

const VALIDATE: JudgedSet = { set: "validate", rows: 10_000, attacks: 5_000 }

function described(
  modelId: string,
  metrics: Readonly<Record<string, number>>,
  judgedOn: JudgedSet | null = VALIDATE,
) {
  return { info: { modelId, metrics }, judgedOn } as unknown as ModelDescription
}

const LIVE = described("m/1", { precision: 0.99, recall: 0.95, f1: 0.97, fpr: 0.003 })

test("compareFigures warns of each figure that is clearly worse, and of nothing else", () => {
  const worse = described("m/2", { precision: 0.98, recall: 0.9, f1: 0.96, fpr: 0.013 })
  const { figures, warnings } = compareFigures(worse, LIVE)
  expect(warnings).toEqual([
    "recall is 0.9, that of the live model 0.95",
    "fpr is 0.013, that of the live model 0.003",
  ])
  expect(figures.find(({ figure }) => figure === "fpr")).toEqual({
    ...{ figure: "fpr", model: 0.013, live: 0.003 },
  })
})

test("compareFigures has nothing against a model that is better, or as good but for chance", () => {
  const asGood = described("m/2", { precision: 0.985, recall: 0.94, f1: 0.96, fpr: 0.005 })
  const better = described("m/2", { precision: 1, recall: 1, f1: 1, fpr: 0 })
  for (const model of [asGood, better]) expect(compareFigures(model, LIVE).warnings).toEqual([])
})

test("compareFigures says where figures were measured on other payloads, or nobody knows on which", () => {
  const generated = { set: "generated", rows: 5_000, attacks: 2_500 }
  for (const set of [generated, { ...VALIDATE, rows: 9_999 }, null]) {
    const { warnings } = compareFigures(described("m/2", LIVE.info.metrics, set), LIVE)
    expect(warnings).toEqual([expect.stringContaining("measured on other payloads")])
  }
  const unknown = described("m/1", LIVE.info.metrics, null)
  expect(compareFigures(unknown, unknown).warnings).toHaveLength(1)
})

test("compareFigures leaves out of its warnings what one of both was not measured by", () => {
  const { figures, warnings } = compareFigures(described("m/2", {}), LIVE)
  expect([figures[0], warnings]).toEqual([{ figure: "precision", model: null, live: 0.99 }, []])
})
