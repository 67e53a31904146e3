import type { SimulationDepth } from "../ports/simulation-queue.ts"
import type { Topology, TopologyNode } from "../stream/topology.ts"
import type { Backlog } from "../telemetry.ts"
import { engineGauges, type GaugeParts } from "./engine-gauges.ts"

/** What a node does now; rates over the window. */
export interface NodeActivity {
  readonly records_per_second: number
  readonly failed_per_second: number
  readonly inside: number
  readonly waiting: number
  /** Mean number of records inside. */
  readonly busy: number
  /** Shares, 0..1. */
  readonly utilisation: number
  readonly backpressure: number
}

export interface RunningTopology extends Topology {
  readonly nodes: readonly (TopologyNode & { readonly activity?: NodeActivity })[]
  readonly running: {
    readonly window_seconds: number
    readonly in_flight: number
    readonly partitions: readonly PartitionActivity[]
    /** The queue between analysis and simulation; null while it is not known. */
    readonly simulations: SimulationDepth | null
    /** The node whose records wait most for a place inside, where any does. */
    readonly waits_at: string | null
  }
}

export interface PartitionActivity extends Omit<Backlog, "heldRatio"> {
  readonly held_ratio: number
  /** Offset below which everything is finished and committed; null before the first commit. */
  readonly committed: string | null
}

/** A twentieth of the time is no bottleneck. */
const WAITING_MIN = 0.05

/** The graph, with what each of its nodes has done in the last window. */
export function describeRunning(topology: Topology, parts: GaugeParts): RunningTopology {
  const { reading, engine } = parts
  const gauges = engineGauges(parts)
  const activities = new Map(reading.operators.map((rate) => [rate.operator, activityOf(rate)]))
  const committed = engine.stats().map((stats) => stats.committed?.toString() ?? null)
  return {
    ...topology,
    nodes: topology.nodes.map((node) => {
      const activity = activities.get(node.id)
      return activity === undefined ? node : { ...node, activity }
    }),
    running: {
      window_seconds: rounded(reading.windowSeconds),
      in_flight: gauges.inFlight,
      partitions: gauges.lag.map(({ heldRatio, ...backlog }, index) => ({
        ...backlog,
        held_ratio: rounded(heldRatio),
        committed: committed[index] ?? null,
      })),
      simulations: parts.simulations ?? null,
      waits_at: waitsAt(parts),
    },
  }
}

function activityOf(rate: GaugeParts["reading"]["operators"][number]): NodeActivity {
  return {
    records_per_second: rounded(rate.recordsPerSecond),
    failed_per_second: rounded(rate.failedPerSecond),
    inside: rate.inside,
    waiting: rate.waiting,
    busy: rounded(rate.busy),
    utilisation: rounded(rate.utilisation),
    backpressure: rounded(rate.backpressure),
  }
}

function waitsAt({ reading }: GaugeParts): string | null {
  const [most] = reading.operators.toSorted((one, other) => other.backpressure - one.backpressure)
  return most !== undefined && most.backpressure >= WAITING_MIN ? most.operator : null
}

function rounded(value: number): number {
  return Math.round(value * 10_000) / 10_000
}
