/** What a registry of prom-client reads when somebody scrapes. */
interface HistogramExport {
  readonly name: string
  readonly help: string
  readonly type: "histogram"
  readonly aggregator: "sum"
  readonly values: readonly {
    readonly metricName: string
    readonly labels: Readonly<Record<string, string | number>>
    readonly value: number
  }[]
}

export interface TallyOptions {
  readonly name: string
  readonly help: string
  /** Ascending upper bounds, inclusive. */
  readonly buckets: readonly number[]
}

/**
 * A Prometheus histogram for the hot path: to observe is an array index and two additions, and text
 * is made only at a scrape. (prom-client hashes the labels of every observation, which cost several
 * times as much as the engine's own step.)
 */
export class TallyHistogram {
  readonly name: string
  readonly #options: TallyOptions
  readonly #series: TallySeries[] = []

  constructor(options: TallyOptions) {
    this.name = options.name
    this.#options = options
  }

  /** A new series, shown from now on; the caller keeps it and asks once for the same labels. */
  series(labels: Readonly<Record<string, string>>): TallySeries {
    const series = new TallySeries(labels, this.#options.buckets)
    this.#series.push(series)
    return series
  }

  async get(): Promise<HistogramExport> {
    const { name, help } = this.#options
    const values = this.#series.flatMap((series) => [...series.export(name)])
    return { name, help, type: "histogram", aggregator: "sum", values }
  }
}

export class TallySeries {
  readonly #labels: Readonly<Record<string, string>>
  readonly #bounds: readonly number[]
  /** Observations by bucket, not cumulative; the last one is above every bound. */
  readonly #counts: Float64Array
  #sum = 0

  constructor(labels: Readonly<Record<string, string>>, bounds: readonly number[]) {
    this.#labels = labels
    this.#bounds = bounds
    this.#counts = new Float64Array(bounds.length + 1)
  }

  observe(value: number): void {
    const bounds = this.#bounds
    let bucket = 0
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket += 1
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1
    this.#sum += value
  }

  *export(name: string): Generator<HistogramExport["values"][number]> {
    const labels = this.#labels
    let count = 0
    for (const [bucket, observed] of this.#counts.entries()) {
      count += observed
      const le = this.#bounds[bucket] ?? "+Inf"
      yield { metricName: `${name}_bucket`, labels: { le, ...labels }, value: count }
    }
    yield { metricName: `${name}_sum`, labels, value: this.#sum }
    yield { metricName: `${name}_count`, labels, value: count }
  }
}
