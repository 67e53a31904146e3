import type {
  OutgoingMessage,
  PartitionId,
  Source,
  SourceListener,
  SourceRecord,
} from "../../src/stream/types.ts"

/** The source ends here. */
export const EOF = "eof"
/** The source fails here. */
export const ABORT = "abort"
export type ListItem = SourceRecord | typeof EOF | typeof ABORT

export interface ListSource extends Source {
  /** Committed next offsets, in the order in which they came. */
  readonly commits: { readonly id: PartitionId; readonly nextOffset: bigint }[]
  /** What transactions sent, in the order in which they were committed. */
  readonly sent: OutgoingMessage[]
  /** The next commits throw these, one each. */
  readonly commitFailures: Error[]
  readonly pauses: number
  /** Gives a partition back, as a rebalance does. */
  revoke(id: PartitionId): Promise<void>
  closed: boolean
}

/** Delivers the list as fast as the engine takes it, holding where it is told to. */
export function listSource(
  items: readonly ListItem[],
  { name = "list", transactional = false } = {},
): ListSource {
  let listener: SourceListener | undefined
  let next = 0
  let held = false
  let stopped = false

  function deliver(): void {
    while (!held && !stopped) {
      const item = items[next]
      if (item === undefined) return
      next += 1
      if (item === EOF) listener?.ended()
      else if (item === ABORT) listener?.failed(new Error("the list aborts"))
      else held = listener?.record(item) === false
      if (held) source.pauses += 1
    }
  }

  const source = {
    name,
    transactional,
    sent: [] as OutgoingMessage[],
    commitFailures: [] as Error[],
    commits: [] as { id: PartitionId; nextOffset: bigint }[],
    pauses: 0,
    closed: false,
    async start(given: SourceListener) {
      listener = given
      deliver()
    },
    pause() {
      held = true
    },
    resume() {
      held = false
      deliver()
    },
    async commit(
      { topic, partition }: PartitionId,
      nextOffset: bigint,
      messages: readonly OutgoingMessage[] = [],
    ) {
      const failure = source.commitFailures.shift()
      if (failure !== undefined) throw failure
      source.sent.push(...messages)
      source.commits.push({ id: { topic, partition }, nextOffset })
    },
    async revoke(id: PartitionId) {
      await listener?.revoked(id)
    },
    async stop() {
      stopped = true
    },
    async close() {
      source.closed = true
    },
  }
  return source
}

/** A record whose value is the UTF-8 text of `value`. */
export function record(
  offset: number,
  value: string,
  options: { key?: string | null; partition?: number; topic?: string } = {},
): SourceRecord {
  return {
    topic: options.topic ?? "list",
    partition: options.partition ?? 0,
    offset: BigInt(offset),
    key: options.key ?? null,
    value: new TextEncoder().encode(value),
    headers: {},
    timestampMs: 1_000 + offset,
    receivedAtMs: 2_000 + offset,
  }
}
