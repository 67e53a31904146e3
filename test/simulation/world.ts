import { UnavailableError } from "../../src/errors.ts"
import { SeededRandom } from "../support/seeded-random.ts"
import { Broker, type InputRecord, Store } from "./broker.ts"
import { VirtualTime } from "./virtual-time.ts"

/** What may go wrong, and how often, until `healAtMs`; 0..1 for each call. */
export interface Faults {
  readonly commitFails: number
  /** Of the failed commits, those that took effect all the same. */
  readonly commitUnknown: number
  readonly storeFails: number
  readonly sinkFails: number
  readonly operatorFails: number
  readonly slow: number
}

export interface WorldOptions {
  readonly seed: number
  readonly isTransactional: boolean
  /** Else each record is written by itself, which no transaction can carry. */
  readonly hasMessageSinks: boolean
  /** Deliberate breaks outside the engine, to see that the suite notices. */
  readonly fences?: boolean
  readonly isStoreIdempotent?: boolean
}

/** Everything outside the engine, decided by one seed. */
export class World {
  readonly random: SeededRandom
  readonly time = new VirtualTime()
  readonly broker: Broker
  readonly store: Store
  readonly faults: Faults
  readonly isTransactional: boolean
  readonly hasMessageSinks: boolean
  readonly trace: string[] = []
  readonly violations: string[] = []
  isHealed = false

  constructor(options: WorldOptions) {
    this.random = new SeededRandom(options.seed)
    this.isTransactional = options.isTransactional
    this.hasMessageSinks = options.hasMessageSinks
    this.faults = randomFaults(this.random)
    this.broker = new Broker(randomInput(this.random), { fences: options.fences ?? true })
    this.store = new Store({ isIdempotent: options.isStoreIdempotent ?? true })
  }

  note(line: string): void {
    this.trace.push(`${this.time.elapsedMs} ms  ${line}`)
  }

  /** True now and then, until the world is healed. */
  strikes(probability: number): boolean {
    return !this.isHealed && this.random.chance(probability)
  }

  /** Takes some virtual time, sometimes very long. */
  async latency(): Promise<void> {
    const isSlow = this.strikes(this.faults.slow)
    await this.time.sleep(isSlow ? this.random.between(500, 9_000) : this.random.between(0, 8))
  }

  /** Fails as an outside system does when it is gone. @throws UnavailableError */
  mayFail(probability: number, system: string): void {
    if (!this.broker.isUp && system === "broker") throw new UnavailableError(system)
    if (this.strikes(probability)) throw new UnavailableError(system)
  }
}

function randomFaults(random: SeededRandom): Faults {
  const rate = (most: number) => (random.chance(0.5) ? 0 : random.next() * most)
  return {
    commitFails: rate(0.4),
    commitUnknown: rate(0.6),
    storeFails: rate(0.3),
    sinkFails: rate(0.3),
    operatorFails: rate(0.3),
    slow: rate(0.2),
  }
}

/** Few keys, so that many records share one; a share of them poisoned. */
function randomInput(random: SeededRandom): InputRecord[][] {
  const bad = random.chance(0.5) ? random.next() * 0.3 : 0
  const fate = () => (random.chance(bad) ? random.pick(["poison", "doomed"] as const) : "good")
  return Array.from({ length: random.between(1, 4) }, (_, partition) =>
    Array.from({ length: random.between(0, 24) }, (_, offset) => ({
      id: `${partition}-${offset}`,
      key: `${partition}-${random.between(1, 4)}`,
      fate: fate(),
    })),
  )
}
