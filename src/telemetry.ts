import { Counter, Gauge, Histogram, Registry } from "prom-client"
import type { VerdictWord } from "./events.ts"

/** Every metric of Sentinel, under the names that existing dashboards read (prefix `cerberus_`). */

const SERVICE = "sentinel"
/** Distinct values that one label may take; further ones are counted as `other`. */
const LABEL_VALUES_MAX = 100
const PARTITIONS_MAX = 1_000
const LOOP_SAMPLE_MS = 500

const LATENCY_BUCKETS_S = [
  0.00001, 0.000025, 0.0001, 0.00025, 0.001, 0.0025, 0.01, 0.025, 0.1, 0.25, 1, 2.5, 10, 30,
]

export interface Backlog {
  readonly topic: string
  readonly partition: number
  /** Records that nobody has finished. */
  readonly records: number
}

/** What the engine knows at the moment of a scrape. */
export interface EngineGauges {
  /** Records between source and sink. */
  readonly inFlight: number
  /** Records waiting, by queue (that of an operator, or the buffer of a source). */
  readonly queueDepth: Readonly<Record<string, number>>
  readonly lag: readonly Backlog[]
}

export type Telemetry = ReturnType<typeof createTelemetry>

/**
 * Builds a registry of its own, so that two of them in one process share no counts.
 *
 * Every counting method costs well under a microsecond and does not throw. The object satisfies the
 * engine's `EngineObserver`. `render` answers the Prometheus text format; `close` stops the timer
 * that samples the event loop (it never keeps a process alive).
 */
export function createTelemetry(options: { readonly version?: string } = {}) {
  const registry = new Registry()
  exposeBuild(registry, options.version ?? "unknown")
  exposeProcess(registry)
  return {
    ...createModelMetrics(registry),
    ...createOperatorMetrics(registry),
    ...createRecordMetrics(registry),
    ...createBacklogMetrics(registry),
    ...createTrafficMetrics(registry),
    ...createResponseMetrics(registry),
    contentType: registry.contentType,
    render: (): Promise<string> => registry.metrics(),
    close: exposeEventLoop(registry),
  }
}

function createModelMetrics(registry: Registry) {
  const inference = new Histogram({
    name: "cerberus_sentinel_inference_latency_seconds",
    help: "Time of one model call.",
    labelNames: ["model"],
    buckets: LATENCY_BUCKETS_S,
    registers: [registry],
  })
  const predictions = counter(registry, {
    name: "cerberus_sentinel_predictions_total",
    help: "Verdicts reached, by verdict.",
    labels: ["verdict"],
    known: [{ verdict: "simulate" }, { verdict: "tag" }, { verdict: "benign" }],
  })
  const lookups = counter(registry, {
    name: "cerberus_sentinel_cache_hits_total",
    help: "Cache lookups, by cache and by whether they hit.",
    labels: ["cache_type", "status"],
    known: ["prediction", "payload"].flatMap((cache_type) =>
      ["hit", "miss"].map((status) => ({ cache_type, status })),
    ),
  })
  const model = boundedLabel()
  return {
    inferred(modelId: string, seconds: number): void {
      inference.observe({ model: model(modelId) }, seconds)
    },
    verdictReached(verdict: VerdictWord): void {
      predictions.inc({ verdict })
    },
    cacheLookedUp(cacheType: "prediction" | "payload", hit: boolean): void {
      lookups.inc({ cache_type: cacheType, status: hit ? "hit" : "miss" })
    },
  }
}

function createOperatorMetrics(registry: Registry) {
  const latency = new Histogram({
    name: "cerberus_operator_latency_seconds",
    help: "Time of one operator call on one record, by outcome (ok, failed).",
    labelNames: ["operator", "outcome"],
    buckets: LATENCY_BUCKETS_S,
    registers: [registry],
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
  const [operator, code] = [boundedLabel(), boundedLabel()]
  return {
    operatorDone(name: string, outcome: "ok" | "failed", seconds: number): void {
      latency.observe({ operator: operator(name), outcome }, seconds)
    },
    retried(name: string, errorCode: string): void {
      retries.inc({ operator: operator(name), code: code(errorCode) })
    },
    deadLettered(letter: { readonly code: string; readonly operator: string }): void {
      letters.inc({ operator: operator(letter.operator), code: code(letter.code) })
    },
  }
}

function createRecordMetrics(registry: Registry) {
  const duration = new Histogram({
    name: "cerberus_record_duration_seconds",
    help: "Time of one record from source to sink, by outcome (done, dead_letter, abandoned).",
    labelNames: ["topic", "outcome"],
    buckets: LATENCY_BUCKETS_S,
    registers: [registry],
  })
  const offsets = gauge(registry, {
    name: "cerberus_committed_offset",
    help: "Lowest unfinished offset of a partition, as last committed.",
    labels: ["topic", "partition"],
  })
  const [topic, partition] = [boundedLabel(), boundedLabel(PARTITIONS_MAX)]
  return {
    recordDone(
      record: { readonly topic: string },
      outcome: "done" | "dead_letter" | "abandoned",
      seconds: number,
    ): void {
      duration.observe({ topic: topic(record.topic), outcome }, seconds)
    },
    committed(
      of: { readonly topic: string; readonly partition: number },
      nextOffset: bigint,
    ): void {
      const labels = { topic: topic(of.topic), partition: partition(String(of.partition)) }
      offsets.set(labels, Number(nextOffset))
    },
  }
}

/** Gauges that are read when somebody scrapes, so that the hot path pays nothing for them. */
function createBacklogMetrics(registry: Registry) {
  let read: (() => EngineGauges) | undefined
  const queue = boundedLabel()
  const [topic, partition] = [boundedLabel(), boundedLabel(PARTITIONS_MAX)]
  gauge(registry, {
    name: "cerberus_records_in_flight",
    help: "Records between source and sink.",
    collect: (records) => records.set(read?.().inFlight ?? 0),
  })
  gauge(registry, {
    name: "cerberus_queue_depth",
    help: "Records that wait in a queue.",
    labels: ["queue"],
    collect(depths) {
      depths.reset()
      for (const [name, depth] of Object.entries(read?.().queueDepth ?? {})) {
        depths.set({ queue: queue(name) }, depth)
      }
    },
  })
  gauge(registry, {
    name: "cerberus_kafka_lag",
    help: "Records of a partition that are not finished.",
    labels: ["topic", "partition"],
    collect(lag) {
      lag.reset()
      for (const entry of read?.().lag ?? []) {
        const labels = { topic: topic(entry.topic), partition: partition(String(entry.partition)) }
        lag.set(labels, entry.records)
      }
    },
  })
  return {
    /** `reader` is called at each scrape, never in between; the last one given counts. */
    watchEngine(reader: () => EngineGauges): void {
      read = reader
    },
  }
}

function createTrafficMetrics(registry: Registry) {
  const requests = counter(registry, {
    name: "cerberus_requests_total",
    help: "HTTP requests received.",
    labels: ["service"],
    known: [{ service: SERVICE }],
  })
  const responses = counter(registry, {
    name: "cerberus_http_responses_total",
    help: "HTTP responses sent, by route and status.",
    labels: ["route", "status"],
  })
  const messages = counter(registry, {
    name: "cerberus_kafka_messages_total",
    help: "Kafka messages, by topic and status (consumed, produced, failed).",
    labels: ["service", "topic", "status"],
  })
  const operations = counter(registry, {
    name: "cerberus_evidence_operations_total",
    help: "Operations on evidence, by operation and status.",
    labels: ["service", "operation", "status"],
  })
  const [route, topic, operation] = [boundedLabel(), boundedLabel(), boundedLabel()]
  return {
    requested(): void {
      requests.inc({ service: SERVICE })
    },
    /** @param routeName a route's template, never a path as received */
    responded(routeName: string, status: number): void {
      responses.inc({ route: route(routeName), status })
    },
    kafkaMessage(topicName: string, status: "consumed" | "produced" | "failed"): void {
      messages.inc({ service: SERVICE, topic: topic(topicName), status })
    },
    evidenceOperation(name: string, status: "ok" | "failed"): void {
      operations.inc({ service: SERVICE, operation: operation(name), status })
    },
  }
}

function createResponseMetrics(registry: Registry) {
  const simulations = counter(registry, {
    name: "cerberus_simulations_total",
    help: "Simulations that reached a conclusion.",
    labels: ["verdict"],
    known: [{ verdict: "exploit_possible" }, { verdict: "exploit_improbable" }],
  })
  const duration = new Histogram({
    name: "cerberus_simulation_duration_seconds",
    help: "Time of one simulation.",
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers: [registry],
  })
  const generated = counter(registry, {
    name: "cerberus_rules_generated_total",
    help: "Rules generated.",
  })
  const applied = counter(registry, {
    name: "cerberus_rules_applied_total",
    help: "Rules applied at the gatekeeper.",
  })
  return {
    simulated(verdict: "exploit_possible" | "exploit_improbable", seconds: number): void {
      simulations.inc({ verdict })
      duration.observe(seconds)
    },
    ruleGenerated: (): void => generated.inc(),
    ruleApplied: (): void => applied.inc(),
  }
}

function exposeBuild(registry: Registry, version: string): void {
  const build = gauge(registry, {
    name: "cerberus_build_info",
    help: "Always 1; the labels tell which build runs.",
    labels: ["service", "version", "bun"],
  })
  build.set({ service: SERVICE, version, bun: Bun.version }, 1)
}

/** Bun fills few of prom-client's default metrics, so the ones that matter are read here. */
function exposeProcess(registry: Registry): void {
  gauge(registry, {
    name: "cerberus_process_resident_memory_bytes",
    help: "Resident memory of the process.",
    collect: (memory) => memory.set(process.memoryUsage.rss()),
  })
  gauge(registry, {
    name: "cerberus_process_start_time_seconds",
    help: "Start of the process, in seconds since the epoch.",
  }).set(performance.timeOrigin / 1_000)
  const cpu: Counter = new Counter({
    name: "cerberus_process_cpu_seconds_total",
    help: "CPU time of the process, user and system.",
    registers: [registry],
    collect() {
      const { user, system } = process.cpuUsage()
      cpu.reset()
      cpu.inc((user + system) / 1_000_000)
    },
  })
}

/** Exposes the worst delay of a timer since the last scrape; returns what stops the sampling. */
function exposeEventLoop(registry: Registry): () => void {
  let worstMs = 0
  let dueMs = performance.now() + LOOP_SAMPLE_MS
  const timer = setInterval(() => {
    const nowMs = performance.now()
    worstMs = Math.max(worstMs, nowMs - dueMs)
    dueMs = nowMs + LOOP_SAMPLE_MS
  }, LOOP_SAMPLE_MS)
  timer.unref()
  gauge(registry, {
    name: "cerberus_event_loop_delay_seconds",
    help: "Worst delay of a timer since the last scrape.",
    collect(delay) {
      // A loop that is blocked right now has not run the timer yet.
      delay.set(Math.max(worstMs, performance.now() - dueMs, 0) / 1_000)
      worstMs = 0
    },
  })
  return () => clearInterval(timer)
}

interface CounterOptions {
  readonly name: string
  readonly help: string
  readonly labels?: readonly string[]
  /** Series that are shown as 0 before the first count, so that a rate over them is right. */
  readonly known?: readonly Readonly<Record<string, string>>[]
}

function counter(registry: Registry, options: CounterOptions): Counter {
  const { name, help, labels = [], known = [] } = options
  const created = new Counter({ name, help, labelNames: [...labels], registers: [registry] })
  for (const series of known) created.inc(series, 0)
  return created
}

interface GaugeOptions {
  readonly name: string
  readonly help: string
  readonly labels?: readonly string[]
  readonly collect?: (gauge: Gauge) => void
}

function gauge(registry: Registry, options: GaugeOptions): Gauge {
  const { name, help, labels = [], collect } = options
  const created: Gauge = new Gauge({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
    ...(collect && { collect: () => collect(created) }),
  })
  return created
}

/** Keeps the first values it sees and calls all later ones `other`: a label never explodes. */
function boundedLabel(valuesMax = LABEL_VALUES_MAX): (value: string) => string {
  const seen = new Set<string>()
  return (value) => {
    if (seen.has(value)) return value
    if (seen.size >= valuesMax) return "other"
    seen.add(value)
    return value
  }
}
