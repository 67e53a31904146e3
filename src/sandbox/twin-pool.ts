import { SandboxUnavailableError } from "../errors.ts"
import type { SandboxPool } from "../ports/sandbox.ts"
import type { SimulatedClass } from "../twin-protocol.ts"
import { type Audit, type SandboxDriver, shortId, type TwinHost } from "./twin-host.ts"

const START_TIMEOUT_MS = 30_000
const WAITING_MAX = 256
/** Runs in one host before it is replaced, whatever happened in them. */
const USES_MAX = 100

/** Why a host is not used again. */
export type Retirement =
  | "used_up"
  | "timeout"
  | "out_of_memory"
  | "no_answer"
  | "unasked_output"
  | "strong_hit"
  | "idle_death"
  | "surplus"
  | "closed"

export interface TwinPoolOptions {
  readonly driver: SandboxDriver
  readonly audit: Audit
  /** Hosts of all classes that run something at once. */
  readonly busyMax: number
  /** Hosts of one class that wait for their next run. */
  readonly warmMax: number
  /** While true, nothing is started, and what was being started is destroyed. */
  isPaused(): boolean
  onError(error: unknown): void
}

interface ClassPool {
  readonly ready: TwinHost[]
  starting: number
  busy: number
  replaced: number
}

/**
 * Keeps hosts warm: the first run of a class starts one, the later ones find one.
 *
 * At most `busyMax` are out at once; later runs wait for a slot, at most 256 of them.
 */
export class TwinPool {
  readonly #options: TwinPoolOptions
  readonly #pools = new Map<SimulatedClass, ClassPool>()
  readonly #uses = new WeakMap<TwinHost, number>()
  readonly #waiting: (() => void)[] = []
  readonly #background = new Set<Promise<void>>()
  readonly #starting = new Set<Promise<unknown>>()
  #slotsTaken = 0
  #closed = new AbortController()

  constructor(options: TwinPoolOptions) {
    this.#options = options
  }

  /** @throws SandboxUnavailableError where none can be started or too many wait */
  async checkout(twinClass: SimulatedClass): Promise<TwinHost> {
    await this.#acquireSlot()
    const pool = this.#poolOf(twinClass)
    pool.busy++
    try {
      const host = this.#takeReady(pool) ?? (await this.#start(twinClass))
      this.#uses.set(host, (this.#uses.get(host) ?? 0) + 1)
      this.#refill(twinClass)
      return host
    } catch (error) {
      pool.busy--
      this.#releaseSlot()
      throw error
    }
  }

  /** Takes a host back, or destroys it where `retirement` says why. */
  giveBack(host: TwinHost, retirement: Retirement | undefined): void {
    const pool = this.#poolOf(host.class)
    pool.busy--
    this.#releaseSlot()
    const reason = retirement ?? this.#reasonToRetire(host, pool)
    if (reason === undefined) pool.ready.push(host)
    else this.#retire(host, reason)
  }

  pool(): Readonly<Record<string, SandboxPool>> {
    const entries = [...this.#pools].map(([twinClass, { ready, busy, replaced }]) => {
      return [twinClass, { ready: ready.length, busy, replaced }] as const
    })
    return Object.fromEntries(entries)
  }

  /** Forgets all hosts, destroyed by somebody else; who waits is refused by the caller. */
  clear(): void {
    this.#closed.abort()
    this.#closed = new AbortController()
    for (const pool of this.#pools.values()) pool.ready.length = 0
  }

  /** Resolves when nothing is being started any more, or after `timeoutMs`. */
  async startsSettled(timeoutMs: number): Promise<void> {
    await Promise.race([Promise.allSettled(this.#starting), Bun.sleep(timeoutMs)])
  }

  /** Destroys what is ready and waits for what goes on in the background. */
  async close(): Promise<void> {
    const ready = [...this.#pools.values()].flatMap((pool) => pool.ready.splice(0))
    this.#closed.abort()
    for (const host of ready) this.#retire(host, "closed")
    // what was being started is destroyed when it is there, which is background work again
    while (this.#background.size > 0) await Promise.all(this.#background)
  }

  #poolOf(twinClass: SimulatedClass): ClassPool {
    const known = this.#pools.get(twinClass)
    if (known !== undefined) return known
    const made: ClassPool = { ready: [], starting: 0, busy: 0, replaced: 0 }
    this.#pools.set(twinClass, made)
    return made
  }

  /** The one that waits longest first: its next child is loaded. Dead ones are dropped on the way. */
  #takeReady(pool: ClassPool): TwinHost | undefined {
    for (let host = pool.ready.shift(); host !== undefined; host = pool.ready.shift()) {
      if (host.channel.ended === undefined && !host.channel.hasUnsolicited) return host
      this.#retire(host, "idle_death")
    }
    return undefined
  }

  #reasonToRetire(host: TwinHost, pool: ClassPool): Retirement | undefined {
    if (this.#closed.signal.aborted) return "closed"
    if ((this.#uses.get(host) ?? 0) >= USES_MAX) return "used_up"
    return pool.ready.length >= this.#options.warmMax ? "surplus" : undefined
  }

  async #start(twinClass: SimulatedClass): Promise<TwinHost> {
    if (this.#options.isPaused()) throw new SandboxUnavailableError("it was stopped")
    const signal = AbortSignal.any([this.#closed.signal, AbortSignal.timeout(START_TIMEOUT_MS)])
    const start = this.#options.driver.start(twinClass, signal)
    this.#starting.add(start)
    try {
      const host = await start
      if (!this.#options.isPaused()) return host
      await host.destroy()
      throw new SandboxUnavailableError("it was stopped")
    } finally {
      this.#starting.delete(start)
    }
  }

  /** Starts in the background what the next run will want. */
  #refill(twinClass: SimulatedClass): void {
    const pool = this.#poolOf(twinClass)
    const { signal } = this.#closed
    const hosts = pool.ready.length + pool.starting + pool.busy
    if (signal.aborted || this.#options.isPaused() || hosts >= this.#options.warmMax) return
    pool.starting++
    this.#inBackground(async () => {
      try {
        const host = await this.#start(twinClass)
        if (signal.aborted) this.#retire(host, "closed")
        else pool.ready.push(host)
      } catch (error) {
        // What is called off because nobody needs it any more is no failure.
        if (!signal.aborted) throw error
      } finally {
        pool.starting--
      }
    })
  }

  #retire(host: TwinHost, reason: Retirement): void {
    this.#poolOf(host.class).replaced++
    this.#refill(host.class)
    this.#inBackground(async () => {
      await host.destroy()
      await this.#options.audit("destroyed", { host: shortId(host.id), reason })
    })
  }

  #inBackground(work: () => Promise<void>): void {
    const done = work().catch((error) => this.#options.onError(error))
    this.#background.add(done)
    void done.finally(() => this.#background.delete(done))
  }

  async #acquireSlot(): Promise<void> {
    if (this.#slotsTaken < this.#options.busyMax) {
      this.#slotsTaken++
      return
    }
    if (this.#waiting.length >= WAITING_MAX) throw new SandboxUnavailableError("too many runs wait")
    await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  /** Hands the slot on, or gives it up. */
  #releaseSlot(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#slotsTaken--
    else next()
  }
}
