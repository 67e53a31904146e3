import { withDeadline } from "../clock.ts"
import { UnavailableError } from "../errors.ts"
import type { Logger } from "../log.ts"
import type { TrafficReport } from "../ml/serving/traffic-report.ts"
import type { TrafficPlan } from "../model-traffic.ts"
import type { Clock } from "../ports.ts"
import { backoffMs } from "../stream/backoff.ts"
import type { ToWorker } from "./cluster-messages.ts"
import { ClusterMetrics } from "./cluster-metrics.ts"
import type { spawnWorker, WorkerProcess } from "./worker-process.ts"

export interface ClusterParts {
  /** How many workers serve the port. */
  readonly count: number
  readonly port: number
  readonly spawn: typeof spawnWorker
  readonly clock: Clock
  readonly random: () => number
  readonly log: Logger
  readonly plan: () => TrafficPlan
  readonly onTraffic: (workerId: string, report: TrafficReport) => void
  readonly onRestarted: () => void
}

/** One place among the workers: whichever process fills it, others drain out of it. */
interface Slot {
  readonly id: string
  current: Member | undefined
  /** Deaths in a row that came soon after the start: the more, the later the next start. */
  deaths: number
}

interface Member {
  readonly process: WorkerProcess
  readonly listening: Promise<number>
  readonly startedMs: number
  /** True where it is to go: its end is no accident. */
  leaving: boolean
}

const START_MAX_MS = 60_000
const RESTART = { attemptsMax: Number.POSITIVE_INFINITY, baseMs: 200, capMs: 10_000 } as const
/** After a life so long a death is the first one again. */
const STEADY_MS = 30_000

/**
 * Worker processes that share one port. A worker that dies is started again; `restart` replaces all of
 * them one after the other, each after its successor listens.
 */
export class Cluster {
  readonly metrics = new ClusterMetrics()
  readonly #parts: ClusterParts
  readonly #slots: readonly Slot[]
  readonly #members = new Set<Member>()
  #port: number
  #isStopping = false
  #restarting: Promise<void> | undefined

  /** @throws UnavailableError where the workers do not come up within a minute */
  static async start(parts: ClusterParts): Promise<Cluster> {
    const cluster = new Cluster(parts)
    try {
      // The first one may choose the port that all others share.
      for (const slot of cluster.#slots) cluster.#port = await cluster.#fill(slot)
      return cluster
    } catch (error) {
      await cluster.stop()
      throw error
    }
  }

  private constructor(parts: ClusterParts) {
    this.#parts = parts
    this.#port = parts.port
    this.#slots = Array.from({ length: parts.count }, (_, index) => ({
      id: String(index),
      current: undefined,
      deaths: 0,
    }))
  }

  get port(): number {
    return this.#port
  }

  /** Workers that serve now, those that drain left out. */
  get size(): number {
    return this.#slots.filter(({ current }) => current !== undefined).length
  }

  broadcast(message: ToWorker): void {
    for (const { process } of this.#members) process.send(message)
  }

  /** Replaces every worker without a gap; a second call waits for the first. */
  restart(): Promise<void> {
    this.#restarting ??= this.#replaceAll().finally(() => {
      this.#restarting = undefined
    })
    return this.#restarting
  }

  /** Lets all workers finish what is in flight, and kills those that are still there at the deadline. */
  async stop(deadlineMs = 6_000): Promise<void> {
    this.#isStopping = true
    const members = [...this.#members]
    for (const member of members) this.#dismiss(member, "stop")
    const gone = Promise.all(members.map(({ process }) => process.exited))
    const { clock } = this.#parts
    await withDeadline({ ms: deadlineMs, clock }, gone, () => undefined)
    for (const { process } of this.#members) process.kill()
    await gone
  }

  async #replaceAll(): Promise<void> {
    for (const slot of this.#slots) {
      if (this.#isStopping) return
      const former = slot.current
      try {
        await this.#fill(slot)
      } catch {
        this.#parts.log.error("a new worker did not come up; the former one goes on")
        return
      }
      if (former !== undefined) this.#dismiss(former, "drain")
      this.#parts.onRestarted()
    }
  }

  #dismiss(member: Member, type: "drain" | "stop"): void {
    member.leaving = true
    member.process.send({ type })
  }

  /** Puts a new process into the place. @returns its port @throws UnavailableError */
  async #fill(slot: Slot): Promise<number> {
    const member = this.#spawn(slot)
    const { clock } = this.#parts
    const died = member.process.exited.then(() => undefined)
    const settled = Promise.race([member.listening, died])
    const port = await withDeadline({ ms: START_MAX_MS, clock }, settled, () => undefined)
    if (port === undefined || !this.#members.has(member)) {
      member.leaving = true
      member.process.kill()
      throw new UnavailableError("an API worker")
    }
    slot.current = member
    this.#parts.log.info("an API worker serves", { pid: member.process.pid })
    return port
  }

  #spawn(slot: Slot): Member {
    const listening = Promise.withResolvers<number>()
    const process = this.#parts.spawn(this.#port, (message) => {
      if (message.type === "listening") {
        process.send({ type: "plan", plan: this.#parts.plan() })
        listening.resolve(message.port)
      } else if (message.type !== "traffic") this.metrics.hear(process, message)
      // one that drains would be counted in turns with its successor, each time anew
      else if (slot.current?.process === process) {
        this.#parts.onTraffic(slot.id, message.report)
      }
    })
    const startedMs = this.#parts.clock.nowMs()
    const member = { process, listening: listening.promise, startedMs, leaving: false }
    this.#members.add(member)
    this.metrics.joined(process)
    void process.exited.then(() => this.#left(slot, member))
    return member
  }

  #left(slot: Slot, member: Member): void {
    this.#members.delete(member)
    this.metrics.left(member.process)
    // one that died before it served is the affair of whoever started it
    if (slot.current !== member) return
    slot.current = undefined
    if (member.leaving || this.#isStopping) return
    this.#parts.log.error("an API worker died", { pid: member.process.pid })
    const livedMs = this.#parts.clock.nowMs() - member.startedMs
    slot.deaths = livedMs >= STEADY_MS ? 1 : slot.deaths + 1
    void this.#revive(slot)
  }

  async #revive(slot: Slot): Promise<void> {
    const { clock, random, log } = this.#parts
    while (!this.#isStopping && slot.current === undefined) {
      await clock.sleep(backoffMs(slot.deaths, RESTART, random))
      if (this.#isStopping || slot.current !== undefined) return
      try {
        await this.#fill(slot)
        this.#parts.onRestarted()
      } catch {
        slot.deaths += 1
        log.error("an API worker could not be started again", { deaths: slot.deaths })
      }
    }
  }
}
