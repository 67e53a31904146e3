import { PartitionLostError, UnavailableError } from "../../src/errors.ts"
import type {
  OutgoingMessage,
  PartitionId,
  Source,
  SourceListener,
} from "../../src/stream/types.ts"
import type { World } from "./world.ts"

const forever = new Promise<never>(() => undefined)

interface Held {
  position: number
  isHeld: boolean
}

/**
 * One member of a consumer group. What a dead one still does never reaches the world: its calls
 * stay unanswered, as those of a killed process do.
 */
export class SimulatedSource implements Source {
  readonly name = "simulated"
  readonly transactional: boolean
  readonly #world: World
  readonly #member: string
  readonly #held = new Map<number, Held>()
  /** By partition, kept while it is being given back: what is finished may still be committed. */
  readonly #epochs = new Map<number, number>()
  readonly #givingBack = new Map<number, Promise<void>>()
  #listener: SourceListener | undefined
  #isStopped = false
  isAlive = true

  constructor(world: World, member: string) {
    this.#world = world
    this.#member = member
    this.transactional = world.isTransactional
  }

  async start(listener: SourceListener): Promise<void> {
    this.#listener = listener
  }

  /** The group gives the partition to this member: the old owner is fenced, then reading begins. */
  async take(partition: number): Promise<void> {
    const { broker } = this.#world
    // a member that gets back what it is giving up lets go first
    await this.#givingBack.get(partition)
    if (!this.isAlive || this.#isStopped || this.#held.has(partition)) return
    const epoch = broker.own(partition, this.#member)
    const position = Number(broker.committed[partition])
    this.#world.note(`${this.#member} owns ${partition} from ${position}`)
    const held = { position, isHeld: false }
    this.#held.set(partition, held)
    this.#epochs.set(partition, epoch)
    this.#listener?.assigned({ topic: "input", partition })
    void this.#read(partition, held)
  }

  /** Resolves once the engine has let go. */
  async giveBack(partition: number): Promise<void> {
    if (!this.#held.delete(partition)) return
    this.#world.note(`${this.#member} gives ${partition} back`)
    const revoked = this.#listener?.revoked({ topic: "input", partition }) ?? Promise.resolve()
    this.#givingBack.set(partition, revoked)
    await revoked
    this.#givingBack.delete(partition)
  }

  get partitions(): readonly number[] {
    return [...this.#held.keys()]
  }

  pause(): void {
    throw new Error("the engine pauses by its answer to record()")
  }

  resume({ partition }: PartitionId): void {
    const held = this.#held.get(partition)
    if (held === undefined || !held.isHeld || !this.isAlive) return
    held.isHeld = false
    void this.#read(partition, held)
  }

  async commit(
    id: PartitionId,
    next: bigint,
    messages: readonly OutgoingMessage[] = [],
  ): Promise<void> {
    const { broker, faults } = this.#world
    const epoch = this.#epochs.get(id.partition) ?? 0
    await this.#world.latency()
    if (!this.isAlive) return forever
    const fails = !broker.isUp || this.#world.strikes(faults.commitFails)
    if (fails && !(broker.isUp && this.#world.strikes(faults.commitUnknown))) {
      throw new UnavailableError("broker")
    }
    const applied = this.#apply(id.partition, { epoch, next, messages })
    if (fails && applied) this.#outcomeUnknown(id.partition)
    if (applied) return
    this.#held.delete(id.partition)
    throw new PartitionLostError()
  }

  #apply(
    partition: number,
    {
      epoch,
      next,
      messages,
    }: { epoch: number; next: bigint; messages: readonly OutgoingMessage[] },
  ): boolean {
    this.#world.note(`${this.#member} commits ${partition}@${next} with ${messages.length}`)
    return this.#world.broker.transact(partition, epoch, next, messages)
  }

  /**
   * It took effect but nobody said so. A plain commit may be repeated; a transaction may not, so the
   * partition is read again from what is committed, by whoever owns it.
   */
  #outcomeUnknown(partition: number): void {
    if (!this.transactional) throw new UnavailableError("broker")
    if (this.#held.delete(partition)) {
      this.#world.time.after(50, () => {
        if (this.isAlive && this.#world.broker.owners[partition] === this.#member) {
          void this.take(partition)
        }
      })
    }
    throw new PartitionLostError()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
  }

  async close(): Promise<void> {
    this.#held.clear()
  }

  async #read(partition: number, held: Held): Promise<void> {
    const { broker, time, random } = this.#world
    const end = broker.input[partition]?.length ?? 0
    while (held.position < end && !held.isHeld) {
      if (random.chance(0.4)) await time.sleep(random.between(0, 6))
      const isOurs = this.isAlive && !this.#isStopped && this.#held.get(partition) === held
      if (!isOurs) return
      if (held.isHeld) return
      const record = broker.record(partition, held.position)
      held.position += 1
      if (this.#listener?.record(record) === false) held.isHeld = true
    }
  }
}
