import type { PayloadClassifier } from "../../ports.ts"
import type { LabelledPayload } from "./labelled-payloads.ts"

/** How long the classifier takes for one text, warm, on the wall clock and of the CPU. */
export interface TimingReport {
  readonly payloads: number
  /** Mean length of the texts timed, in UTF-16 units. */
  readonly charactersMean: number
  /** Median over batches of the time per payload, in microseconds. */
  readonly microsecondsP50: number
  readonly microsecondsP99: number
  /** CPU time of the process over the whole run, per payload: steadier on a busy machine. */
  readonly cpuMicrosecondsMean: number
}

const BATCH = 32
const PAYLOADS_MAX = 4_096
/** Short and long neighbours of the 120 characters that goals are stated for. */
const TYPICAL = { charactersMin: 100, charactersMax: 140 }

export interface Timings {
  readonly all?: TimingReport
  /** Over texts of 100 to 140 characters. */
  readonly typical?: TimingReport
}

/** Times the classifier on rows of a set; a part without a full batch of texts is left out. */
export function measureTime(
  rows: readonly LabelledPayload[],
  classifier: PayloadClassifier,
): Timings {
  const { charactersMin, charactersMax } = TYPICAL
  const typical = rows.filter(
    ({ text }) => text.length >= charactersMin && text.length <= charactersMax,
  )
  const [all, short] = [timeBatches(rows, classifier), timeBatches(typical, classifier)]
  return { ...(all && { all }), ...(short && { typical: short }) }
}

function timeBatches(
  rows: readonly LabelledPayload[],
  classifier: PayloadClassifier,
): TimingReport | undefined {
  const chosen = rows.slice(0, PAYLOADS_MAX)
  const batches = Math.floor(chosen.length / BATCH)
  if (batches === 0) return undefined
  for (const row of chosen) classifier.classify(row)
  const before = process.cpuUsage()
  const times = Array.from({ length: batches }, (_, index) =>
    timeBatch(chosen.slice(index * BATCH, (index + 1) * BATCH), classifier),
  ).sort((left, right) => left - right)
  const { user, system } = process.cpuUsage(before)
  const timed = chosen.slice(0, batches * BATCH)
  const at = (share: number) => times[Math.floor(share * (times.length - 1))] ?? 0
  return {
    payloads: timed.length,
    charactersMean: timed.reduce((total, { text }) => total + text.length, 0) / timed.length,
    microsecondsP50: at(0.5),
    microsecondsP99: at(0.99),
    cpuMicrosecondsMean: (user + system) / timed.length,
  }
}

function timeBatch(rows: readonly LabelledPayload[], classifier: PayloadClassifier): number {
  const start = Bun.nanoseconds()
  for (const row of rows) classifier.classify(row)
  return (Bun.nanoseconds() - start) / 1_000 / rows.length
}
