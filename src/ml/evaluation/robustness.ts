import type { PayloadClassifier } from "../../ports.ts"
import { judge } from "./evaluate-payloads.ts"
import type { LabelledPayload } from "./labelled-payloads.ts"
import { ratio } from "./payload-report.ts"
import type { RowSample } from "./row-sample.ts"
import { respell, TRANSFORMATIONS, type Transformation } from "./transformations.ts"

/** What one way of writing the same texts changes; over the rows that it does change. */
export interface RobustnessReport {
  readonly transformation: string
  readonly attacks: number
  /** Share of those attacks called attacks as they stand and re-spelt, 0..1. */
  readonly recall: number | null
  readonly recallTransformed: number | null
  /** recall - recallTransformed; 0.005 is half a point. */
  readonly loss: number | null
  readonly benign: number
  readonly fpr: number | null
  readonly fprTransformed: number | null
  /** fprTransformed / fpr; null where no plain row was called an attack. */
  readonly fprRatio: number | null
}

/** Judges the same rows plain and under each transformation, at the default threshold. */
export function measureRobustness(
  sample: RowSample,
  classifier: PayloadClassifier,
  onTransformation: (name: string) => void = () => {},
): readonly RobustnessReport[] {
  const plain = {
    attacks: alarmed(sample.attacks, classifier),
    benign: alarmed(sample.benign, classifier),
  }
  return TRANSFORMATIONS.map((transformation) => {
    onTransformation(transformation.name)
    const attacks = compare(sample.attacks, plain.attacks, { transformation, classifier })
    const benign = compare(sample.benign, plain.benign, { transformation, classifier })
    return {
      transformation: transformation.name,
      attacks: attacks.rows,
      recall: attacks.before,
      recallTransformed: attacks.after,
      loss: attacks.before === null ? null : attacks.before - (attacks.after ?? 0),
      benign: benign.rows,
      fpr: benign.before,
      fprTransformed: benign.after,
      fprRatio: benign.before === null ? null : ratio(benign.after ?? 0, benign.before),
    }
  })
}

function alarmed(
  rows: readonly LabelledPayload[],
  classifier: PayloadClassifier,
): readonly boolean[] {
  return rows.map((row) => judge(row, classifier).predicted !== "benign")
}

function compare(
  rows: readonly LabelledPayload[],
  plain: readonly boolean[],
  by: { readonly transformation: Transformation; readonly classifier: PayloadClassifier },
): { rows: number; before: number | null; after: number | null } {
  const { classes } = by.transformation
  let [changed, before, after] = [0, 0, 0]
  rows.forEach((row, index) => {
    if (row.label !== "benign" && !classes.includes(row.label)) return
    const text = respell(row, by.transformation)
    if (text === row.text) return
    changed += 1
    if (plain[index] === true) before += 1
    if (judge({ ...row, text }, by.classifier).predicted !== "benign") after += 1
  })
  return { rows: changed, before: ratio(before, changed), after: ratio(after, changed) }
}
