import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { PAYLOAD_CLASSES } from "../../../src/events.ts"
import { bootstrapIntervals } from "../../../src/ml/evaluation/bootstrap.ts"
import { type PayloadReport, reportOf } from "../../../src/ml/evaluation/payload-report.ts"
import { ScorePool, type SourcedJudgement } from "../../../src/ml/evaluation/score-pool.ts"

const classes = fc.constantFrom(...PAYLOAD_CLASSES)
/** Few distinct values, so that ties are common. */
const score = fc.oneof(
  fc.integer({ min: 0, max: 20 }).map((step) => step / 20),
  fc.double({ min: 0, max: 1, noNaN: true }),
)

const judgements: fc.Arbitrary<SourcedJudgement[]> = fc.array(
  fc.record({
    label: classes,
    predicted: classes,
    attackProbability: score,
    confidence: score,
    source: fc.constantFrom("a", "b", "c"),
  }),
  { maxLength: 200 },
)

/** The figures of a report by the names that the pool gives them. */
function flatten(report: PayloadReport): Record<string, number | null> {
  const { precision, recall, f1, fpr, macroF1, ece, recallAtFpr } = report
  const rates = Object.entries(recallAtFpr).map(([rate, value]) => [`recallAtFpr.${rate}`, value])
  return { precision, recall, f1, fpr, macroF1, ece, ...Object.fromEntries(rates) }
}

function expectClose(actual: Record<string, number | null>, expected: typeof actual): void {
  expect(Object.keys(actual).sort()).toEqual(Object.keys(expected).sort())
  for (const [name, value] of Object.entries(expected)) {
    if (value === null) expect([name, actual[name]]).toEqual([name, null])
    else expect(actual[name]).toBeCloseTo(value, 10)
  }
}

describe("ScorePool", () => {
  test("ScorePool gives what reportOf gives where every source counts once", () => {
    fc.assert(
      fc.property(judgements, (rows) => {
        const pool = new ScorePool(rows)
        const once = new Uint16Array(pool.sources.length).fill(1)
        expectClose({ ...pool.figures(once) }, flatten(reportOf(rows)))
      }),
    )
  })

  test("ScorePool gives what reportOf gives of rows that are really repeated and left out", () => {
    fc.assert(
      fc.property(judgements, fc.array(fc.nat(3), { minLength: 3 }), (rows, repeats) => {
        const pool = new ScorePool(rows)
        const weights = Uint16Array.from(pool.sources, (_, index) => repeats[index] ?? 0)
        const repeated = pool.sources.flatMap((source, index) =>
          Array.from({ length: weights[index] ?? 0 }, () =>
            rows.filter((row) => row.source === source),
          ).flat(),
        )
        expectClose({ ...pool.figures(weights) }, flatten(reportOf(repeated)))
      }),
    )
  })

  test("ScorePool counts recall and the rate really met at a stored threshold", () => {
    const row = (label: "xss" | "benign", attackProbability: number): SourcedJudgement => ({
      ...{ label, predicted: "benign", confidence: 1, source: "a" },
      attackProbability,
    })
    const rows = [row("xss", 0.9), row("xss", 0.5), row("benign", 0.6), row("benign", 0.5)]
    const pool = new ScorePool(rows, { "0.01": 0.5 })
    const figures = pool.figures(Uint16Array.of(1))
    expect(figures).toMatchObject({ "recallAtStored.0.01": 0.5, "fprAtStored.0.01": 0.5 })
  })
})

describe("bootstrapIntervals", () => {
  /** Two sources of which one is all right and the other all wrong. */
  const rows: readonly SourcedJudgement[] = ["right", "wrong"].flatMap((source) =>
    Array.from({ length: 10 }, () => ({
      label: "xss" as const,
      predicted: source === "right" ? "xss" : "benign",
      attackProbability: source === "right" ? 1 : 0,
      confidence: 1,
      source,
    })),
  )

  test("bootstrapIntervals is as wide as the sources differ, whatever their rows promise", () => {
    const { recall } = bootstrapIntervals(new ScorePool(rows), { seed: 1 })
    expect(recall).toEqual({ low: 0, high: 1 })
  })

  test("bootstrapIntervals is the same for the same seed, and has no interval of what is not there", () => {
    const pool = new ScorePool(rows)
    const once = bootstrapIntervals(pool, { seed: 7, replicates: 50 })
    expect(bootstrapIntervals(pool, { seed: 7, replicates: 50 })).toEqual(once)
    expect(once).not.toHaveProperty("fpr")
  })

  test("bootstrapIntervals has nothing to draw from with one source", () => {
    const single = rows.filter(({ source }) => source === "right")
    expect(bootstrapIntervals(new ScorePool(single), { seed: 1 })).toEqual({})
  })
})
