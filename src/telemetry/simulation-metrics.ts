import type { AuditHead } from "../ports/sandbox.ts"
import { counter, gauge, histogram, type Registry } from "./metrics.ts"

/** A finished simulation, as it is counted. */
export interface CountedSimulation {
  readonly verdict: "exploit_possible" | "exploit_improbable" | "inconclusive"
  /** Class of its payload. */
  readonly class: string
  readonly driver: string
  /** The first word of why it is inconclusive. */
  readonly reason?: string
  readonly seconds: number
}

/** What the sandbox knows at the moment of a scrape. */
export interface SandboxGauges {
  /** `none` where nothing can be simulated. */
  readonly driver: string
  readonly isPanicked: boolean
  /** Hosts by class. */
  readonly pool: Readonly<
    Record<string, { readonly ready: number; readonly busy: number; readonly replaced: number }>
  >
  /** Of the audit log: whoever scrapes it holds what nobody on this machine can change. */
  readonly auditHead: AuditHead
}

const DURATION_BUCKETS_S = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

export function createSimulationMetrics(registry: Registry) {
  const simulations = counter(registry, {
    name: "cerberus_simulations_total",
    help: "Simulations that reached a conclusion.",
    labels: ["verdict"],
    known: [{ verdict: "exploit_possible" }, { verdict: "exploit_improbable" }],
  })
  const inconclusive = counter(registry, {
    name: "cerberus_simulations_inconclusive_total",
    help: "Simulations that reached none, by why.",
    labels: ["reason"],
  })
  const duration = histogram(registry, {
    name: "cerberus_simulation_duration_seconds",
    help: "Time of one simulation.",
    buckets: DURATION_BUCKETS_S,
  })
  const byClass = histogram(registry, {
    name: "cerberus_simulation_class_duration_seconds",
    help: "Time of one simulation, by class of its payload and by driver.",
    labels: ["class", "driver"],
    buckets: DURATION_BUCKETS_S,
  })
  return {
    simulated(simulation: CountedSimulation): void {
      const { verdict, reason = "unknown", seconds, driver } = simulation
      if (verdict === "inconclusive") inconclusive.inc({ reason })
      else simulations.inc({ verdict })
      duration.observe(seconds)
      byClass.observe(seconds, { class: simulation.class, driver })
    },
    ...createSandboxMetrics(registry),
  }
}

function createSandboxMetrics(registry: Registry) {
  let read: (() => SandboxGauges) | undefined
  const pool = () => Object.entries(read?.().pool ?? {})
  gauge(registry, {
    name: "cerberus_sandbox_available",
    help: "1 while payloads can be simulated; the label names the driver.",
    labels: ["driver"],
    *read() {
      const now = read?.()
      if (now === undefined) return
      const isAvailable = now.driver !== "none" && !now.isPanicked
      yield [{ driver: now.driver }, isAvailable ? 1 : 0]
    },
  })
  gauge(registry, {
    name: "cerberus_sandbox_panicked",
    help: "1 from a panic until somebody resumes.",
    read: () => (read?.().isPanicked === true ? 1 : 0),
  })
  gauge(registry, {
    name: "cerberus_sandbox_pool_hosts",
    help: "Containers or processes that hold a twin, by class and state (ready, busy).",
    labels: ["class", "state"],
    *read() {
      for (const [name, { ready, busy }] of pool()) {
        yield [{ class: name, state: "ready" }, ready]
        yield [{ class: name, state: "busy" }, busy]
      }
    },
  })
  counter(registry, {
    name: "cerberus_sandbox_replaced_total",
    help: "Hosts that were replaced, by class.",
    labels: ["class"],
    read: () => pool().map(([name, { replaced }]) => [{ class: name }, replaced]),
  })
  gauge(registry, {
    name: "cerberus_sandbox_audit_entries",
    help: "Entries of the sandbox's audit log; it never falls, or somebody has cut the log.",
    read: () => read?.().auditHead.count ?? 0,
  })
  gauge(registry, {
    // all that a double holds; a label with the hash would be a new series for each entry
    name: "cerberus_sandbox_audit_head",
    help: "First 52 bits of the hash of the newest audit entry, as a number.",
    read: () => Number.parseInt(read?.().auditHead.hash.slice(0, 13) ?? "0", 16),
  })
  return {
    /** `reader` is called at each scrape; the last one given counts. */
    watchSandbox(reader: () => SandboxGauges): void {
      read = reader
    },
  }
}
