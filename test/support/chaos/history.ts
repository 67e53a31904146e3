/** A message as some reader saw it. */
export interface Sighting {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  readonly key: string
  /** The input event that it is about. */
  readonly id: number
  /** Unique for each time that the message was made. */
  readonly attempt: string
  /** How often the reader had been given the partition; each time it reads from the beginning. */
  readonly assignment: number
}

/** What was produced: id -> the topic that it must come out of. */
export type Expected = ReadonlyMap<number, string>

/** Counts of what must not be, in the words of Jepsen's Kafka workload. */
export interface Anomalies {
  /** Acknowledged inputs that came out nowhere. */
  readonly lostWrites: number
  /** Inputs that came out twice, or in both topics. */
  readonly duplicates: number
  /** Outputs that came out of the wrong topic, or are about no input. */
  readonly unexpected: number
  /** Messages in the log that the reader alongside was never given. */
  readonly unseen: number
  /** Messages that the reader alongside was given and that are not in the log. */
  readonly abortedReads: number
  /**
   * Steps back within one assignment: in offset of a partition, or in id of a key (ids of a key ascend
   * at the input).
   */
  readonly nonMonotonicPolls: number
}

/**
 * @param log every message as a read_committed reader finds it in the end
 * @param live what a read_committed reader was given while everything was going on, in its order
 */
export function judgeHistory(
  expected: Expected,
  log: readonly Sighting[],
  live: readonly Sighting[],
): Anomalies {
  const ids = new Set(log.map(({ id }) => id))
  const inLog = new Set(log.map(identity))
  const inLive = new Set(live.map(identity))
  return {
    lostWrites: [...expected.keys()].filter((id) => !ids.has(id)).length,
    duplicates: log.length - ids.size,
    unexpected: log.filter(({ id, topic }) => expected.get(id) !== topic).length,
    unseen: log.filter((sighting) => !inLive.has(identity(sighting))).length,
    abortedReads: live.filter((sighting) => !inLog.has(identity(sighting))).length,
    nonMonotonicPolls: stepsBack(live) + stepsBack(log),
  }
}

function identity({ topic, partition, offset, attempt }: Sighting): string {
  return `${topic}/${partition}/${offset}/${attempt}`
}

function stepsBack(sightings: readonly Sighting[]): number {
  const offsets = new Map<string, bigint>()
  const ids = new Map<string, number>()
  let steps = 0
  for (const { topic, partition, offset, key, id, assignment } of sightings) {
    const place = `${assignment} ${topic}/${partition}`
    const stream = `${assignment} ${topic}/${key}`
    if (offset <= (offsets.get(place) ?? -1n) || id <= (ids.get(stream) ?? -1)) steps += 1
    offsets.set(place, offset)
    ids.set(stream, id)
  }
  return steps
}
