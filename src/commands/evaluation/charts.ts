import type { ReliabilityBin } from "../../ml/evaluation/calibration.ts"
import type { CurvePoint } from "../../ml/evaluation/curves.ts"
import type { DetectionReport } from "../../ml/evaluation/evaluate-detection.ts"
import { type Axis, renderChart, type Series } from "./chart.ts"

/** Where an axis may start, so that what is near 1 can be told apart. */
const STARTS = [0.98, 0.95, 0.9, 0.8, 0.5, 0] as const
/** At this rate every curve is to be seen. */
const RATE_SHOWN = 0.001
/** Left of this rate lies less than one row of most sets. */
const RATE_MIN = 0.000_1
/** Beyond this recall precision falls to the share of attacks for any classifier. */
const RECALL_SHOWN = 0.95

/** The charts of a report, as SVG by name; a chart without points is left out. */
export function evaluationCharts(report: DetectionReport): Readonly<Record<string, string>> {
  const hasCurves = Object.keys(report.curves).length > 0
  return {
    ...(report.reliability.length > 0 && { reliability: reliabilityChart(report) }),
    ...(hasCurves && {
      "precision-recall": precisionRecallChart(report),
      "recall-fpr": recallAtRateChart(report),
    }),
  }
}

function reliabilityChart({ reliability, ece }: DetectionReport): string {
  const lowest = Math.min(...reliability.flatMap((bin) => [bin.confidence, bin.accuracy]))
  const from = startBelow(lowest)
  const point = ({ confidence, accuracy }: ReliabilityBin) => [confidence, accuracy] as const
  return renderChart({
    title: `Reliability (ECE ${ece.toFixed(4)})`,
    x: linearAxis("confidence of the predicted class", from),
    y: linearAxis("share of right answers", from),
    series: [
      { name: "bins of equal mass", points: reliability.map(point), isDotted: true },
      { name: "perfect", points: [[from, from] as const, [1, 1] as const], isReference: true },
    ],
  })
}

function precisionRecallChart({ curves }: DetectionReport): string {
  const shown = Object.values(curves).flatMap((points) =>
    points.filter(({ recall }) => recall <= RECALL_SHOWN).map(({ precision }) => precision),
  )
  return renderChart({
    title: "Precision and recall",
    x: linearAxis("recall", 0),
    y: linearAxis("precision", startBelow(Math.min(1, ...shown))),
    series: seriesOf(curves, ({ recall, precision }) => [recall, precision]),
  })
}

function recallAtRateChart({ curves }: DetectionReport): string {
  const shown = Object.values(curves).map(
    (points) => points.find(({ fpr }) => fpr >= RATE_SHOWN)?.recall ?? 0,
  )
  return renderChart({
    title: "Recall at a false positive rate",
    x: {
      ...{ label: "false positive rate", from: RATE_MIN, to: 1, isLogarithmic: true },
      ticks: [0.000_1, 0.001, 0.01, 0.1, 1],
      format: (rate) => `${Number((rate * 100).toPrecision(3))}%`,
    },
    y: linearAxis("recall", startBelow(Math.min(1, ...shown))),
    series: seriesOf(curves, ({ fpr, recall }) => [Math.max(fpr, RATE_MIN), recall]),
  })
}

function seriesOf(
  curves: DetectionReport["curves"],
  point: (at: CurvePoint) => readonly [number, number],
): readonly Series[] {
  return Object.entries(curves).map(([name, points]) => ({ name, points: points.map(point) }))
}

function linearAxis(label: string, from: number): Axis {
  const steps = 5
  const ticks = Array.from({ length: steps + 1 }, (_, step) => from + (step * (1 - from)) / steps)
  return { label, from, to: 1, ticks, format: (value) => `${Number(value.toFixed(3))}` }
}

function startBelow(lowest: number): number {
  return STARTS.find((start) => start <= lowest) ?? 0
}
