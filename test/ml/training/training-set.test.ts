import { describe, expect, test } from "bun:test"
import type { LabelledPayload } from "../../../src/ml/evaluation/labelled-payloads.ts"
import { zeroWeights } from "../../../src/ml/models/linear-softmax.ts"
import { trainLinear } from "../../../src/ml/training/train-linear.ts"
import { TrainingSet } from "../../../src/ml/training/training-set.ts"

const ROWS: readonly LabelledPayload[] = [
  { text: "1' or 1=1--", label: "sql_injection", source: "a" },
  { text: "good morning", label: "benign", source: "a" },
]

function trainingSet(): TrainingSet {
  const set = new TrainingSet()
  set.add(ROWS, 0)
  set.add([{ text: "; cat /etc/passwd", label: "command_injection", source: "b" }], 1)
  set.add([{ text: "hello", label: "benign", source: "generated" }])
  return set
}

describe("TrainingSet", () => {
  test("select gives a fold, or all that may be learnt from when it is left out", () => {
    const set = trainingSet()
    expect([...set.select(0, "in")]).toEqual([0, 1])
    expect([...set.select(0, "out")]).toEqual([2, 3])
    expect([...set.select(1, "out")]).toEqual([0, 1, 3])
    expect(set.rows.slice(0, 2)).toEqual([...ROWS])
  })

  test("score tells attacks by their labels and counts windows", () => {
    const set = trainingSet()
    set.add([{ text: "a b ".repeat(200), label: "benign", source: "long" }], 2)
    const [long] = set.score(zeroWeights(), set.select(2, "in"))
    expect(long).toMatchObject({ attack: false, weight: 1 })
    expect(long?.windows).toBeGreaterThan(5)
    expect(set.score(zeroWeights(), set.select(1, "in"))).toMatchObject([
      { attack: true, windows: 1 },
    ])
  })

  test("trainLinear learns nothing from examples that it was not given", () => {
    const { examples } = trainingSet()
    const options = { seed: 1, epochs: 3, learningRate: 0.3 }
    const { bias } = trainLinear(examples, { ...options, examples: Int32Array.of(2, 3) })
    expect(bias[2]).toBeGreaterThan(0)
    expect(bias[0]).toBeLessThan(0)
    const all = trainLinear(examples, options)
    const named = trainLinear(examples, { ...options, examples: Int32Array.of(0, 1, 2, 3) })
    expect(named).toEqual(all)
  })
})
