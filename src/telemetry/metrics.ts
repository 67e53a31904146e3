import { AggregatorRegistry, Counter, Gauge, Histogram, type Metric, Registry } from "prom-client"
import { TallyHistogram, type TallySeries } from "./tally-histogram.ts"

/** The one place that imports prom-client: how a metric of each kind is made. */
export type { Registry }

/** Distinct values that one label may take; further ones are counted as `other`. */
const LABEL_VALUES_MAX = 100
const PARTITIONS_MAX = 1_000

type Labels = Readonly<Record<string, string>>

const LATENCY_BUCKETS_S = [
  0.00001, 0.000025, 0.0001, 0.00025, 0.001, 0.0025, 0.01, 0.025, 0.1, 0.25, 1, 2.5, 10, 30,
]

export function createRegistry(): Registry {
  return new Registry()
}

/** Every series of one process, as plain data. */
export type MetricsSnapshot = Awaited<ReturnType<Registry["getMetricsAsJSON"]>>

/**
 * What several processes have counted, as one: counters and histograms are added up; of a gauge the
 * largest value is shown unless it says otherwise.
 */
export function combineSnapshots(snapshots: readonly MetricsSnapshot[]): Registry {
  return AggregatorRegistry.aggregate([...snapshots])
}

interface HistogramOptions {
  readonly name: string
  readonly help: string
  readonly labels?: readonly string[]
  /** Upper bounds, ascending; default LATENCY_BUCKETS_S. */
  readonly buckets?: readonly number[]
}

export function histogram(registry: Registry, options: HistogramOptions) {
  const { name, help, labels = [], buckets = LATENCY_BUCKETS_S } = options
  const labelNames = [...labels]
  const created = new Histogram({
    ...{ name, help, labelNames, buckets: [...buckets], registers: [registry] },
  })
  const bounded = boundedLabels(labels)
  return {
    observe: (value: number, series: Labels = {}): void => created.observe(bounded(series), value),
  }
}

interface TallyOptions extends HistogramOptions {
  /** The first is bounded here; the second is one of a few words by itself. */
  readonly labels: readonly [string] | readonly [string, string]
}

/** A histogram for what is observed several times for each record. */
export function tally(registry: Registry, options: TallyOptions) {
  const { name, help, buckets = LATENCY_BUCKETS_S, labels } = options
  const created = new TallyHistogram({ name, help, buckets })
  // all that a registry asks of a metric is its name and `get`
  registry.registerMetric(created as unknown as Metric)
  const bounded = boundedValues(LABEL_VALUES_MAX)
  const known = new Map<string, Map<string, TallySeries>>()
  const seriesOf = (value: string, word: string): TallySeries => {
    const label = bounded(value)
    const byWord = known.get(label) ?? new Map<string, TallySeries>()
    known.set(label, byWord)
    const values = [label, word]
    const series = byWord.get(word) ?? created.series(labelled(labels, values))
    byWord.set(word, series)
    return series
  }
  return (observed: number, value: string, word = ""): void => {
    const series = known.get(value)?.get(word) ?? seriesOf(value, word)
    series.observe(observed)
  }
}

/** The value of one series, with its labels. */
export type Sample = readonly [labels: Labels, value: number]

/** Called at each scrape: the one value, or all series; one that is left out disappears. */
type Reading = () => number | Iterable<Sample>

interface CounterOptions {
  readonly name: string
  readonly help: string
  readonly labels?: readonly string[]
  /** Series that are shown as 0 before the first count, so that a rate over them is right. */
  readonly known?: readonly Labels[]
  /** Where the totals are kept elsewhere. */
  readonly read?: Reading
}

export function counter(registry: Registry, options: CounterOptions) {
  const { name, help, labels = [], known = [], read } = options
  const bounded = boundedLabels(labels)
  const created: Counter = new Counter({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
    ...(read && {
      collect() {
        created.reset()
        for (const [series, total] of samplesOf(read)) created.inc(bounded(series), total)
      },
    }),
  })
  for (const series of known) created.inc(bounded(series), 0)
  return { inc: (series: Labels = {}): void => created.inc(bounded(series)) }
}

function samplesOf(read: Reading): Iterable<Sample> {
  const reading = read()
  return typeof reading === "number" ? [[{}, reading]] : reading
}

interface TallyCounterOptions extends Omit<CounterOptions, "read"> {
  /** The first is bounded here; the second is one of a few words by itself. */
  readonly labels: readonly [string] | readonly [string, string]
}

/** A counter for what is counted with each request: plain numbers that a scrape reads. */
export function tallyCounter(registry: Registry, options: TallyCounterOptions) {
  const { known = [], labels, ...named } = options
  const bounded = boundedValues(LABEL_VALUES_MAX)
  const tallies = new Map<string, Map<string, { count: number }>>()
  const tallyOf = (value: string, word: string) => {
    const label = bounded(value)
    const byWord = tallies.get(label) ?? new Map<string, { count: number }>()
    tallies.set(label, byWord)
    const tally = byWord.get(word) ?? { count: 0 }
    byWord.set(word, tally)
    return tally
  }
  const [first, second = ""] = labels
  for (const series of known) tallyOf(series[first] ?? "", series[second] ?? "")
  counter(registry, {
    ...named,
    labels,
    *read() {
      for (const [value, byWord] of tallies) {
        for (const [word, { count }] of byWord) yield [labelled(labels, [value, word]), count]
      }
    },
  })
  return (value: string, word = "", times = 1): void => {
    const tally = tallies.get(value)?.get(word) ?? tallyOf(value, word)
    tally.count += times
  }
}

function labelled(names: readonly string[], values: readonly string[]) {
  return Object.fromEntries(names.map((name, at) => [name, values[at] ?? ""]))
}

interface GaugeOptions {
  readonly name: string
  readonly help: string
  /** How the values of several processes become one; default the largest. */
  readonly combine?: "sum" | "min"
  readonly labels?: readonly string[]
  /** Where the values are kept elsewhere. */
  readonly read?: Reading
}

export function gauge(registry: Registry, options: GaugeOptions) {
  const { name, help, combine, labels = [], read } = options
  const bounded = boundedLabels(labels)
  const created: Gauge = new Gauge({
    name,
    help,
    aggregator: combine ?? "max",
    labelNames: [...labels],
    registers: [registry],
    ...(read && {
      collect() {
        created.reset()
        for (const [series, value] of samplesOf(read)) created.set(bounded(series), value)
      },
    }),
  })
  return {
    set: (value: number, series: Labels = {}): void => created.set(bounded(series), value),
  }
}

/** No label of a metric explodes, whatever becomes its value. */
function boundedLabels(names: readonly string[]): (labels: Labels) => Labels {
  const bounds = new Map(
    names.map((name) => [
      name,
      boundedValues(name === "partition" ? PARTITIONS_MAX : LABEL_VALUES_MAX),
    ]),
  )
  return (labels) =>
    Object.fromEntries(
      Object.entries(labels).map(([name, value]) => [name, bounds.get(name)?.(value) ?? value]),
    )
}

/** Keeps the first values it sees and calls all later ones `other`. */
function boundedValues(valuesMax: number): (value: string) => string {
  const seen = new Set<string>()
  return (value) => {
    if (seen.has(value)) return value
    if (seen.size >= valuesMax) return "other"
    seen.add(value)
    return value
  }
}
