import type { OutgoingMessage, SourceRecord } from "../../src/stream/types.ts"

/** One message that a read_committed reader sees. */
export interface LoggedMessage extends OutgoingMessage {
  readonly order: number
}

/** "poison" fails before anything is written; "doomed" fails after its output was staged or sent. */
export type Fate = "good" | "poison" | "doomed"

export interface InputRecord {
  readonly id: string
  readonly key: string
  readonly fate: Fate
}

/**
 * What a broker keeps through every crash of its clients: the input, the committed offsets, who owns
 * which partition in which epoch, and the output log.
 */
export class Broker {
  readonly input: readonly (readonly InputRecord[])[]
  readonly committed: bigint[]
  readonly owners: (string | undefined)[]
  readonly epochs: number[]
  readonly output: LoggedMessage[] = []
  readonly violations: string[] = []
  isUp = true
  /** A broker without fencing takes the commit of an owner that has been replaced. */
  readonly #fences: boolean

  constructor(input: readonly (readonly InputRecord[])[], options: { fences: boolean }) {
    this.input = input
    this.#fences = options.fences
    this.committed = input.map(() => 0n)
    this.owners = input.map(() => undefined)
    this.epochs = input.map(() => 0)
  }

  /** The member becomes the owner; whoever was it before is fenced. */
  own(partition: number, member: string): number {
    this.owners[partition] = member
    this.epochs[partition] = (this.epochs[partition] ?? 0) + 1
    return this.epochs[partition] as number
  }

  isCurrent(partition: number, epoch: number): boolean {
    return !this.#fences || this.epochs[partition] === epoch
  }

  /** Messages and offset, all or nothing. @returns false for an owner that has been replaced */
  transact(
    partition: number,
    epoch: number,
    next: bigint,
    messages: readonly OutgoingMessage[],
  ): boolean {
    if (!this.isCurrent(partition, epoch)) return false
    for (const message of messages) this.append(message)
    const before = this.committed[partition] ?? 0n
    if (next < before) {
      this.violations.push(`committed offset of ${partition} moved back: ${before} -> ${next}`)
    }
    this.committed[partition] = next
    return true
  }

  append(message: OutgoingMessage): void {
    this.output.push({ ...message, order: this.output.length })
  }

  record(partition: number, offset: number): SourceRecord {
    const input = this.input[partition]?.[offset]
    if (input === undefined) throw new Error("no such record")
    return {
      topic: "input",
      partition,
      offset: BigInt(offset),
      key: input.key,
      value: new TextEncoder().encode(JSON.stringify(input)),
      headers: {},
      timestampMs: 0,
      receivedAtMs: 0,
    }
  }

  get isDrained(): boolean {
    return this.input.every((records, partition) => {
      return this.committed[partition] === BigInt(records.length)
    })
  }
}

/** A store that keeps the first value of an id, as the real one does. */
export class Store {
  readonly values = new Map<string, string>()
  readonly writes = new Map<string, number>()
  readonly #isIdempotent: boolean

  constructor(options: { isIdempotent: boolean }) {
    this.#isIdempotent = options.isIdempotent
  }

  /** @returns what the store holds for the id afterwards */
  record(id: string, value: string): string {
    this.writes.set(id, (this.writes.get(id) ?? 0) + 1)
    const held = this.#isIdempotent ? this.values.get(id) : undefined
    if (held !== undefined) return held
    this.values.set(id, value)
    return value
  }
}
