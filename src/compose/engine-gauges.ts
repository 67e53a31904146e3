import type { PartitionLag } from "../connectors/kafka-source.ts"
import type { SimulationDepth } from "../ports/simulation-queue.ts"
import type { Engine, PartitionStats } from "../stream/engine.ts"
import { partitionKey } from "../stream/types.ts"
import type { Backlog, EngineGauges } from "../telemetry.ts"
import type { MeterReading } from "./engine-meter.ts"

/** What an engine does now. */
export interface EngineNumbers {
  readonly engine: Pick<Engine, "stats" | "operatorStats">
  readonly reading: MeterReading
  /** What lies before the engine: on the broker, or fetched and not yet handed over. */
  readonly unread: readonly PartitionLag[]
}

export interface GaugeParts extends EngineNumbers {
  readonly nowMs: number
  /** Undefined while it is not known. */
  readonly simulations: SimulationDepth | undefined
}

/** Two engines as one: their operators and partitions have different names. */
export function joinNumbers(one: EngineNumbers, other: EngineNumbers): EngineNumbers {
  return {
    engine: {
      stats: () => [...one.engine.stats(), ...other.engine.stats()],
      operatorStats: () => [...one.engine.operatorStats(), ...other.engine.operatorStats()],
    },
    reading: {
      windowSeconds: one.reading.windowSeconds,
      operators: [...one.reading.operators, ...other.reading.operators],
      heldRatios: new Map([...one.reading.heldRatios, ...other.reading.heldRatios]),
    },
    unread: [...one.unread, ...other.unread],
  }
}

/** The engine's own numbers and its sources', in the words of the metrics. */
export function engineGauges(parts: GaugeParts): EngineGauges {
  const partitions = parts.engine.stats()
  return {
    inFlight: partitions.reduce((sum, { inFlight }) => sum + inFlight, 0),
    queueDepth: queueDepth(partitions, parts.reading),
    lag: backlogs(partitions, parts),
    operators: parts.reading.operators,
    ...(parts.simulations && { simulations: parts.simulations }),
  }
}

function queueDepth(partitions: readonly PartitionStats[], { operators }: MeterReading) {
  const depth: Record<string, number> = {}
  for (const { operator, waiting } of operators) depth[operator] = waiting
  for (const { id, buffered } of partitions) depth[id.topic] = (depth[id.topic] ?? 0) + buffered
  return depth
}

function backlogs(partitions: readonly PartitionStats[], parts: GaugeParts): readonly Backlog[] {
  const unread = new Map(parts.unread.map((lag) => [partitionKey(lag), Number(lag.records)]))
  return partitions.map(({ id, unfinished, oldestMs }) => ({
    ...id,
    records: unfinished + (unread.get(partitionKey(id)) ?? 0),
    seconds: oldestMs === undefined ? 0 : Math.max(0, parts.nowMs - oldestMs) / 1_000,
    heldRatio: parts.reading.heldRatios.get(partitionKey(id)) ?? 0,
  }))
}
