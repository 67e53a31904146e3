import type { SimulationDepth } from "../ports/simulation-queue.ts"
import { counter, gauge, histogram, type Registry, tally } from "./metrics.ts"

/** How far behind one partition is, and whether that is for want of room. */
export interface Backlog {
  readonly topic: string
  readonly partition: number
  /** Records that nobody has finished. */
  readonly records: number
  /** Age of the oldest of them by its own time; 0 where there is none. */
  readonly seconds: number
  /** Share (0..1) of the window in which the source was told to wait. */
  readonly heldRatio: number
}

/** What an operator did in the last window. */
export interface OperatorLoad {
  readonly operator: string
  /** Mean number of records inside: for one without I/O its share of a core. */
  readonly busy: number
  /** `busy` as a share (0..1) of its concurrency. */
  readonly utilisation: number
  /** Share (0..1) of the window in which a record waited for a place inside. */
  readonly backpressure: number
}

/** What the engine knows at the moment of a scrape. */
export interface EngineGauges {
  /** Records between source and sink. */
  readonly inFlight: number
  /** Records waiting, by queue (that of an operator, or the buffer of a source). */
  readonly queueDepth: Readonly<Record<string, number>>
  readonly lag: readonly Backlog[]
  readonly operators: readonly OperatorLoad[]
  /** Tasks of the queue between analysis and simulation. */
  readonly simulations?: SimulationDepth
}

const END_TO_END_BUCKETS_S = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 21_600,
]
const BATCH_BUCKETS = [2, 4, 8, 16, 32, 64, 128, 256]

export function createOperatorMetrics(registry: Registry) {
  const latency = tally(registry, {
    name: "cerberus_operator_latency_seconds",
    help: "Time of one operator call on one record, by outcome (ok, failed).",
    labels: ["operator", "outcome"],
  })
  const batches = histogram(registry, {
    name: "cerberus_operator_batch_size",
    help: "Records of one batch of an operator that takes several at once.",
    labels: ["operator"],
    buckets: BATCH_BUCKETS,
  })
  const retries = counter(registry, {
    name: "cerberus_operator_retries_total",
    help: "Operator calls that were tried again, by error code.",
    labels: ["operator", "code"],
  })
  const letters = counter(registry, {
    name: "cerberus_dead_letters_total",
    help: "Records that became dead letters, by error code.",
    labels: ["operator", "code"],
  })
  return {
    operatorDone(name: string, outcome: "ok" | "failed", seconds: number): void {
      latency(seconds, name, outcome)
    },
    batched: (operator: string, size: number): void => batches.observe(size, { operator }),
    retried: (operator: string, code: string): void => retries.inc({ operator, code }),
    deadLettered({ operator, code }: { readonly code: string; readonly operator: string }): void {
      letters.inc({ operator, code })
    },
  }
}

export function createRecordMetrics(registry: Registry) {
  const duration = tally(registry, {
    name: "cerberus_record_duration_seconds",
    help: "Time of one record from source to sink, by outcome (done, dead_letter, abandoned).",
    labels: ["topic", "outcome"],
  })
  const endToEnd = tally(registry, {
    name: "cerberus_end_to_end_latency_seconds",
    help: "Time from a record's own time (event time, else arrival) until it was finished.",
    labels: ["topic"],
    buckets: END_TO_END_BUCKETS_S,
  })
  return {
    recordDone(
      record: { readonly topic: string; readonly timestampMs: number },
      outcome: "done" | "dead_letter" | "abandoned",
      seconds: number,
    ): void {
      duration(seconds, record.topic, outcome)
      if (outcome === "abandoned") return
      // a producer's clock may be ahead of ours
      const ageMs = Math.max(0, Date.now() - record.timestampMs)
      endToEnd(ageMs / 1_000, record.topic)
    },
  }
}

interface PartitionName {
  readonly topic: string
  readonly partition: number
}

export function createProgressMetrics(registry: Registry) {
  const offsets = gauge(registry, {
    name: "cerberus_committed_offset",
    help: "Watermark: lowest unfinished offset of a partition, as last committed.",
    labels: ["topic", "partition"],
  })
  const commits = counter(registry, {
    name: "cerberus_commits_total",
    help: "Commits of a partition's watermark.",
    labels: ["topic"],
  })
  const transactions = counter(registry, {
    name: "cerberus_transactions_total",
    help: "Transactions that committed messages together with the offset they came from.",
    labels: ["topic"],
  })
  const changes = counter(registry, {
    name: "cerberus_rebalances_total",
    help: "Partitions that changed hands, by event (assigned, revoked, lost).",
    labels: ["topic", "event"],
  })
  return {
    committed({ topic, partition }: PartitionName, nextOffset: bigint): void {
      offsets.set(Number(nextOffset), { topic, partition: String(partition) })
      commits.inc({ topic })
    },
    transacted: ({ topic }: PartitionName): void => transactions.inc({ topic }),
    partitionChanged({ topic }: PartitionName, event: "assigned" | "revoked" | "lost"): void {
      changes.inc({ topic, event })
    },
  }
}

/** Gauges that are read when somebody scrapes, so that the hot path pays nothing for them. */
export function createBacklogMetrics(registry: Registry) {
  let read: (() => EngineGauges) | undefined
  gauge(registry, {
    name: "cerberus_records_in_flight",
    help: "Records between source and sink.",
    read: () => read?.().inFlight ?? 0,
  })
  gauge(registry, {
    name: "cerberus_queue_depth",
    help: "Records that wait in a queue.",
    labels: ["queue"],
    read: () =>
      Object.entries(read?.().queueDepth ?? {}).map(([queue, depth]) => [{ queue }, depth]),
  })
  gauge(registry, {
    name: "cerberus_simulation_queue_tasks",
    help: "Tasks between analysis and simulation, by state (ready, leased, dropped).",
    labels: ["state"],
    read: () =>
      Object.entries(read?.().simulations ?? {}).map(([state, count]) => [{ state }, count]),
  })
  exposePartitions(registry, () => read?.().lag ?? [])
  exposeOperators(registry, () => read?.().operators ?? [])
  return {
    /** `reader` is called at each scrape, never in between; the last one given counts. */
    watchEngine(reader: () => EngineGauges): void {
      read = reader
    },
  }
}

function exposePartitions(registry: Registry, backlogs: () => readonly Backlog[]): void {
  const expose = (name: string, help: string, value: (backlog: Backlog) => number) =>
    gauge(registry, {
      name,
      help,
      labels: ["topic", "partition"],
      *read() {
        for (const backlog of backlogs()) {
          const { topic, partition } = backlog
          yield [{ topic, partition: String(partition) }, value(backlog)]
        }
      },
    })
  const lag = "Records of a partition that are not finished."
  expose("cerberus_kafka_lag", lag, ({ records }) => records)
  const age = "Age of the oldest unfinished record of a partition."
  expose("cerberus_kafka_lag_seconds", age, ({ seconds }) => seconds)
  const held = "Share of the last window in which a partition's source was told to wait."
  expose("cerberus_partition_held_ratio", held, ({ heldRatio }) => heldRatio)
}

function exposeOperators(registry: Registry, loads: () => readonly OperatorLoad[]): void {
  const expose = (name: string, help: string, value: (load: OperatorLoad) => number) =>
    gauge(registry, {
      name,
      help,
      labels: ["operator"],
      read: () => loads().map((load) => [{ operator: load.operator }, value(load)]),
    })
  const busy = "Mean number of records inside an operator in the last window."
  expose("cerberus_operator_busy_records", busy, (load) => load.busy)
  const utilisation = "The same as a share of the operator's concurrency."
  expose("cerberus_operator_utilisation_ratio", utilisation, (load) => load.utilisation)
  const waiting = "Share of the last window in which a record waited for a place in an operator."
  expose("cerberus_operator_backpressure_ratio", waiting, (load) => load.backpressure)
}
