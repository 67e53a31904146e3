import { TooLargeError } from "../../errors.ts"
import type { PayloadKind } from "../../events.ts"
import type { PayloadClassifier } from "../../ports.ts"
import { Random } from "../random.ts"
import {
  BENIGN_POPULATIONS,
  type BenignPopulation,
  benignPopulation,
} from "./benign-populations.ts"
import { bootstrapIntervals, type Interval } from "./bootstrap.ts"
import { type ReliabilityBin, reliabilityBins } from "./calibration.ts"
import { type CurvePoint, thresholdCurve } from "./curves.ts"
import { type EvaluationReport, judge, summarize } from "./evaluate-payloads.ts"
import { type GateReport, gates } from "./gates.ts"
import type { LabelledPayload } from "./labelled-payloads.ts"
import { type OperatingPoint, operatingPoints } from "./operating-points.ts"
import { measurePadding, type PaddingReport } from "./padding.ts"
import { MAIN_CLASSES } from "./payload-report.ts"
import { measureRobustness, type RobustnessReport } from "./robustness.ts"
import { RowSample } from "./row-sample.ts"
import { ScorePool, type SourcedJudgement } from "./score-pool.ts"
import { measureTime, type Timings } from "./timing.ts"
import { wilsonInterval } from "./wilson.ts"
import { ErrorCollector, type WorstErrors } from "./worst-errors.ts"

export interface PopulationReport {
  readonly population: BenignPopulation
  readonly rows: number
  readonly falsePositives: number
  /** falsePositives / rows, 0..1 */
  readonly fpr: number
  readonly interval: Interval
}

/** Everything that is said of a payload classifier on one collection of labelled rows. */
export interface DetectionReport extends EvaluationReport {
  /** 95%, by the name of the figure; bootstrap over sources. Empty for a single source. */
  readonly intervals: Readonly<Record<string, Interval>>
  readonly operatingPoints: readonly OperatingPoint[]
  readonly benignPopulations: readonly PopulationReport[]
  readonly reliability: readonly ReliabilityBin[]
  /** By class, its attacks against every benign row; `attack` = those of every class. */
  readonly curves: Readonly<Record<string, readonly CurvePoint[]>>
  readonly robustness: readonly RobustnessReport[]
  readonly padding?: PaddingReport
  readonly timing: Timings
  readonly gates: GateReport
  readonly errors: WorstErrors
}

export interface DetectionOptions {
  /** Of the bootstrap, the samples and the padding; default 1. */
  readonly seed?: number
  /** Worst errors of each sort to list with their texts; default 10. */
  readonly errorsMax?: number
  readonly onProgress?: (message: string) => void
}

const ROWS_MAX = 2_000_000
const SAMPLE_ROWS_MAX = 12_000
/** Rows of further sources are counted together. */
const SOURCES_MAX = 1_000
const PROGRESS_EVERY_ROWS = 1_000

type JudgedRow = SourcedJudgement & { readonly kind?: PayloadKind }

/**
 * Judges every row, then a sample of them re-spelt and padded, and says all that can be said.
 *
 * Reads the rows once. Memory grows by some 150 bytes a row; texts are kept of a sample only.
 * @throws TooLargeError beyond 2,000,000 rows
 */
export async function evaluateDetection(
  rows: AsyncIterable<LabelledPayload> | Iterable<LabelledPayload>,
  classifier: PayloadClassifier,
  options: DetectionOptions = {},
): Promise<DetectionReport> {
  const { seed = 1, errorsMax = 10, onProgress = () => {} } = options
  const sample = new RowSample({ rowsMax: SAMPLE_ROWS_MAX, seed })
  const errors = new ErrorCollector(errorsMax)
  const judged: JudgedRow[] = []
  const sources = new Set<string>()
  for await (const row of rows) {
    if (judged.length === ROWS_MAX) throw new TooLargeError("labelled rows", ROWS_MAX)
    const answer = judge(row, classifier)
    const { kind } = row
    judged.push({ ...answer, source: sourceOf(row, sources), ...(kind && { kind }) })
    sample.offer(row)
    errors.offer(row, answer)
    if (judged.length % PROGRESS_EVERY_ROWS === 0) onProgress(`${judged.length} rows`)
  }
  onProgress("bootstrap over sources")
  const figures = describeRows(judged, classifier, seed)
  return {
    ...figures,
    robustness: measureRobustness(sample, classifier, (name) => onProgress(`re-spelt: ${name}`)),
    ...padding(sample, classifier, seed),
    timing: measureTime(mixed(sample, seed), classifier),
    gates: gates(figures),
    errors: errors.worst(),
  }
}

function sourceOf({ source }: LabelledPayload, sources: Set<string>): string {
  if (sources.has(source)) return source
  if (sources.size >= SOURCES_MAX) return "others"
  sources.add(source)
  return source
}

function describeRows(rows: readonly JudgedRow[], classifier: PayloadClassifier, seed: number) {
  const thresholds = classifier.thresholds ?? {}
  const pool = new ScorePool(rows, thresholds)
  const figures = pool.figures(new Uint16Array(pool.sources.length).fill(1))
  const intervals = bootstrapIntervals(pool, { seed })
  return {
    ...summarize(rows, classifier.info.modelId),
    intervals,
    operatingPoints: operatingPoints(rows, { figures, intervals, thresholds }),
    benignPopulations: populations(rows),
    reliability: reliabilityBins(rows),
    curves: curvesOf(rows),
  }
}

function populations(rows: readonly JudgedRow[]): readonly PopulationReport[] {
  const benign = rows.filter(({ label }) => label === "benign")
  return BENIGN_POPULATIONS.flatMap((population) => {
    const members = benign.filter((row) => benignPopulation(row) === population)
    const falsePositives = members.filter(({ predicted }) => predicted !== "benign").length
    const total = members.length
    if (total === 0) return []
    const interval = wilsonInterval({ hits: falsePositives, total })
    return { population, rows: total, falsePositives, fpr: falsePositives / total, interval }
  })
}

function curvesOf(rows: readonly JudgedRow[]): Readonly<Record<string, readonly CurvePoint[]>> {
  const attackClasses = MAIN_CLASSES.filter((name) => name !== "benign")
  const byClass = attackClasses.map((name) => {
    const against = rows.filter(({ label }) => label === name || label === "benign")
    return [name, thresholdCurve(against)] as const
  })
  const curves = [["attack", thresholdCurve(rows)] as const, ...byClass]
  return Object.fromEntries(curves.filter(([, points]) => points.length > 0))
}

function padding(
  sample: RowSample,
  classifier: PayloadClassifier,
  seed: number,
): Pick<DetectionReport, "padding"> {
  const report = measurePadding(sample, classifier, seed)
  return report === undefined ? {} : { padding: report }
}

/** Attacks and benign rows in one seeded order: batches are then alike. */
function mixed(sample: RowSample, seed: number): readonly LabelledPayload[] {
  const rows = [...sample.attacks, ...sample.benign]
  const order = Int32Array.from(rows.keys())
  new Random(seed).shuffle(order)
  return [...order].flatMap((index) => rows[index] ?? [])
}
