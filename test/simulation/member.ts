import { HashMismatchError, UnavailableError } from "../../src/errors.ts"
import type { Dataflow } from "../../src/stream/dataflow.ts"
import type { Engine, EngineLimits } from "../../src/stream/engine.ts"
import type {
  DeadLetter,
  EngineObserver,
  Operator,
  OutgoingMessage,
  Sink,
  SourceRecord,
} from "../../src/stream/types.ts"
import type { InputRecord } from "./broker.ts"
import { SimulatedSource } from "./simulated-source.ts"
import type { World } from "./world.ts"

/** The engine under test: the real one, or a copy with a deliberate break. */
export interface EngineModules {
  readonly Engine: typeof Engine
  readonly Dataflow: typeof Dataflow
}

interface Decoded extends InputRecord {
  readonly partition: number
}

interface Stored extends Decoded {
  /** What the store holds: who wrote it first, and when. */
  readonly held: string
}

const LIMITS: Partial<EngineLimits> = {
  inFlightMax: 4,
  bufferedMax: 6,
  unpassedMax: 8,
  commitIntervalMs: 40,
  sendIntervalMs: 10,
  revokeTimeoutMs: 200,
  suspectAfter: 1_000,
  retry: { attemptsMax: 200, baseMs: 2, capMs: 50 },
}

const forever = new Promise<never>(() => undefined)
let unhandled = 0
process.on("unhandledRejection", () => {
  unhandled += 1
})

/** Rejections that nobody awaited since the last call. */
export function takeUnhandledRejections(): number {
  const count = unhandled
  unhandled = 0
  return count
}

/** One process of the group: an engine with its source and sinks, which can be killed. */
export class Member {
  readonly name: string
  readonly source: SimulatedSource
  readonly engine: Engine
  readonly #world: World

  constructor(name: string, world: World, { Engine, Dataflow }: EngineModules) {
    this.name = name
    this.#world = world
    this.source = new SimulatedSource(world, name)
    const flow = Dataflow.named<SourceRecord>("simulated")
      .via(this.#decode())
      .via(this.#work())
      .via(this.#store())
      .to(this.#output())
      .via(this.#audit())
    this.engine = new Engine(
      {
        flow,
        sources: [this.source],
        deadLetters: [this.#deadLetters()],
        publisher: { publish: (messages) => this.#send(messages), close: async () => undefined },
        clock: this.#clock(),
        observer: this.#observer(),
        random: world.random.next,
      },
      LIMITS,
    )
  }

  get isAlive(): boolean {
    return this.source.isAlive
  }

  /** kill -9: nothing that it still does reaches the world. */
  kill(): void {
    this.source.isAlive = false
    this.#world.note(`${this.name} is killed`)
  }

  /** A dead process hears no clock. */
  #clock() {
    const { time } = this.#world
    return {
      nowMs: () => time.nowMs(),
      sleep: async (ms: number, signal?: AbortSignal) => {
        await time.sleep(ms, signal)
        if (!this.isAlive) await forever
      },
    }
  }

  #decode(): Operator<SourceRecord, Decoded> {
    return {
      name: "decode",
      concurrency: 8,
      process: ({ value, partition }) => {
        const input = JSON.parse(new TextDecoder().decode(value)) as InputRecord
        if (input.fate === "poison") throw new HashMismatchError("sha256")
        return { ...input, partition }
      },
    }
  }

  #work(): Operator<Decoded, Decoded> {
    const world = this.#world
    return {
      name: "work",
      concurrency: 3,
      process: async (input) => {
        await world.latency()
        world.mayFail(world.faults.operatorFails, "helper")
        return input
      },
    }
  }

  /** First write wins; what it holds goes on, as `record_verdict` does. */
  #store(): Operator<Decoded, Stored> {
    const world = this.#world
    return {
      name: "store",
      concurrency: 4,
      process: async (input) => {
        await world.latency()
        if (!this.isAlive) return forever
        world.mayFail(world.faults.storeFails, "store")
        const held = world.store.record(input.id, `${this.name} at ${world.time.elapsedMs}`)
        return { ...input, held }
      },
    }
  }

  #output(): Sink<Stored> {
    return this.#sink("output", ({ id, key, held }) => ({
      topic: "out",
      key,
      value: JSON.stringify({ id, held }),
    }))
  }

  #sink<T>(name: string, message: (input: T) => OutgoingMessage): Sink<T> {
    if (this.#world.hasMessageSinks) return { name, message }
    const write = (input: T) => this.#send([message(input)])
    return { name, guarantee: "at-least-once", concurrency: 4, write }
  }

  /** A last step that refuses some of what the sink before it was given. */
  #audit(): Operator<Stored, Stored> {
    return {
      name: "audit",
      concurrency: 8,
      process(input) {
        if (input.fate === "doomed") throw new HashMismatchError("audit")
        return input
      },
    }
  }

  #deadLetters(): Sink<DeadLetter> {
    return this.#sink("dead_letters", ({ record, code }) => ({
      topic: "dead",
      key: record.key,
      value: Buffer.from(record.value).toString("utf8"),
      headers: { code },
    }))
  }

  async #send(messages: readonly OutgoingMessage[]) {
    const world = this.#world
    await world.latency()
    if (!this.isAlive) return forever
    if (!world.broker.isUp) throw new UnavailableError("broker")
    for (const message of messages) {
      if (world.strikes(world.faults.sinkFails / messages.length))
        throw new UnavailableError("sink")
      world.broker.append(message)
    }
    // they are there, but the acknowledgement is lost
    world.mayFail(world.faults.sinkFails, "sink")
  }

  #observer(): EngineObserver {
    const { note } = { note: (line: string) => this.#world.note(`${this.name} ${line}`) }
    return {
      operatorDone: () => this.#checkBounds(),
      retried: (operator, code) => note(`${operator} again after ${code}`),
      deadLettered: ({ record }) => note(`buries ${record.partition}/${record.offset}`),
      recordDone: (record, outcome) => note(`${record.partition}/${record.offset} ${outcome}`),
      committed: () => undefined,
    }
  }

  #checkBounds(): void {
    for (const { id, inFlight } of this.engine.stats()) {
      if (inFlight > 4) this.#world.violations.push(`${id.partition}: ${inFlight} in flight`)
    }
  }
}
