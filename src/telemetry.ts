import type { VerdictWord } from "./events.ts"
import { createAlertMetrics } from "./telemetry/alert-metrics.ts"
import {
  createBacklogMetrics,
  createOperatorMetrics,
  createProgressMetrics,
  createRecordMetrics,
} from "./telemetry/engine-metrics.ts"
import {
  counter,
  createRegistry,
  gauge,
  type MetricsSnapshot,
  type Registry,
  tally,
  tallyCounter,
} from "./telemetry/metrics.ts"
import { createServedModelMetrics } from "./telemetry/model-metrics.ts"
import { createRuleMetrics } from "./telemetry/rule-metrics.ts"
import { createSimulationMetrics } from "./telemetry/simulation-metrics.ts"

/** Every metric of Sentinel, under the names that existing dashboards read (prefix `cerberus_`). */

const SERVICE = "sentinel"
const LOOP_SAMPLE_MS = 500

export type { Backlog, EngineGauges, OperatorLoad } from "./telemetry/engine-metrics.ts"
export { combineSnapshots, type MetricsSnapshot } from "./telemetry/metrics.ts"
export type { SandboxGauges } from "./telemetry/simulation-metrics.ts"

export type Telemetry = ReturnType<typeof createTelemetry>

/**
 * Builds a registry of its own, so that two of them in one process share no counts.
 *
 * Every counting method costs well under a microsecond and does not throw. The object satisfies the
 * engine's `EngineObserver`. `render` answers the Prometheus text format; `close` stops the timer
 * that samples the event loop (it never keeps a process alive).
 */
export function createTelemetry(options: { readonly version?: string } = {}) {
  const registry = createRegistry()
  exposeBuild(registry, options.version ?? "unknown")
  exposeProcess(registry)
  return {
    ...createModelMetrics(registry),
    ...createOperatorMetrics(registry),
    ...createRecordMetrics(registry),
    ...createProgressMetrics(registry),
    ...createBacklogMetrics(registry),
    ...createTrafficMetrics(registry),
    ...createServedModelMetrics(registry),
    ...createSimulationMetrics(registry),
    ...createRuleMetrics(registry),
    ...createAlertMetrics(registry),
    ...createWorkerMetrics(registry),
    contentType: registry.contentType,
    render: (): Promise<string> => registry.metrics(),
    snapshot: (): Promise<MetricsSnapshot> => registry.getMetricsAsJSON(),
    close: exposeEventLoop(registry),
  }
}

function createModelMetrics(registry: Registry) {
  const inference = tally(registry, {
    name: "cerberus_sentinel_inference_latency_seconds",
    help: "Time of one model call.",
    labels: ["model"],
  })
  const predictions = counter(registry, {
    name: "cerberus_sentinel_predictions_total",
    help: "Verdicts reached, by verdict.",
    labels: ["verdict"],
    known: [{ verdict: "simulate" }, { verdict: "tag" }, { verdict: "benign" }],
  })
  const lookups = tallyCounter(registry, {
    name: "cerberus_sentinel_cache_hits_total",
    help: "Cache lookups, by cache and by whether they hit.",
    labels: ["cache_type", "status"],
    known: ["prediction", "payload"].flatMap((cache_type) =>
      ["hit", "miss"].map((status) => ({ cache_type, status })),
    ),
  })
  return {
    inferred(modelId: string, seconds: number): void {
      inference(seconds, modelId)
    },
    verdictReached(verdict: VerdictWord): void {
      predictions.inc({ verdict })
    },
    cacheLookedUp(cacheType: "prediction" | "payload", hit: boolean, times = 1): void {
      lookups(cacheType, hit ? "hit" : "miss", times)
    },
  }
}

function createTrafficMetrics(registry: Registry) {
  const requests = tallyCounter(registry, {
    name: "cerberus_requests_total",
    help: "HTTP requests received.",
    labels: ["service"],
    known: [{ service: SERVICE }],
  })
  const responses = tallyCounter(registry, {
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
  return {
    requested(): void {
      requests(SERVICE)
    },
    /** @param routeName a route's template, never a path as received */
    responded(routeName: string, status: number): void {
      responses(routeName, String(status))
    },
    kafkaMessage(topic: string, status: "consumed" | "produced" | "failed"): void {
      messages.inc({ service: SERVICE, topic, status })
    },
    evidenceOperation(operation: string, status: "ok" | "failed"): void {
      operations.inc({ service: SERVICE, operation, status })
    },
  }
}

function exposeBuild(registry: Registry, version: string): void {
  const build = gauge(registry, {
    name: "cerberus_build_info",
    help: "Always 1; the labels tell which build runs.",
    labels: ["service", "version", "bun"],
  })
  build.set(1, { service: SERVICE, version, bun: Bun.version })
}

function createWorkerMetrics(registry: Registry) {
  let workers: () => number = () => 0
  gauge(registry, {
    name: "cerberus_sentinel_api_workers",
    help: "API worker processes that serve now; 0 where one process does it all.",
    read: () => workers(),
  })
  const restarts = counter(registry, {
    name: "cerberus_sentinel_api_worker_restarts_total",
    help: "API worker processes that took the place of another one.",
  })
  return {
    watchWorkers(count: () => number): void {
      workers = count
    },
    workerRestarted: (): void => restarts.inc(),
  }
}

/** Bun fills few of prom-client's default metrics, so the ones that matter are read here. */
function exposeProcess(registry: Registry): void {
  gauge(registry, {
    name: "cerberus_process_resident_memory_bytes",
    help: "Resident memory of the process, and of its API workers.",
    combine: "sum",
    read: () => process.memoryUsage.rss(),
  })
  gauge(registry, {
    name: "cerberus_process_start_time_seconds",
    help: "Start of the process, in seconds since the epoch.",
    combine: "min",
  }).set(performance.timeOrigin / 1_000)
  counter(registry, {
    name: "cerberus_process_cpu_seconds_total",
    help: "CPU time of the process, user and system.",
    read() {
      const { user, system } = process.cpuUsage()
      return (user + system) / 1_000_000
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
    read() {
      // A loop that is blocked right now has not run the timer yet.
      const delayMs = Math.max(worstMs, performance.now() - dueMs, 0)
      worstMs = 0
      return delayMs / 1_000
    },
  })
  return () => clearInterval(timer)
}
