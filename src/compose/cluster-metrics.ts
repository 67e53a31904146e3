import { combineSnapshots, type MetricsSnapshot } from "../telemetry.ts"
import type { FromWorker } from "./cluster-messages.ts"
import type { WorkerProcess } from "./worker-process.ts"

type MetricsMessage = Extract<FromWorker, { readonly metrics: unknown }>

/** A worker that is too busy to answer is shown as it last was. */
const ANSWER_MAX_MS = 1_000

/**
 * The metrics of all workers, those that are gone included: a counter that fell because a process
 * ended would look like a restart of them all.
 */
export class ClusterMetrics {
  readonly #known = new Map<WorkerProcess, MetricsSnapshot>()
  readonly #asked = new Map<WorkerProcess, () => void>()
  #gone: readonly MetricsSnapshot[] = []
  #request = 0

  joined(worker: WorkerProcess): void {
    this.#known.set(worker, [])
  }

  hear(worker: WorkerProcess, { metrics }: MetricsMessage): void {
    if (this.#known.has(worker)) this.#known.set(worker, metrics)
    this.#asked.get(worker)?.()
  }

  /** A worker that was killed is remembered as it was last measured. */
  left(worker: WorkerProcess): void {
    this.#asked.get(worker)?.()
    const last = this.#known.get(worker) ?? []
    this.#known.delete(worker)
    this.#gone = [...this.#gone, last.filter(({ type }) => String(type) !== "gauge")]
  }

  /** Asks every worker. @returns all of them and `own`, in the Prometheus text format */
  async render(own: MetricsSnapshot): Promise<string> {
    await Promise.all([...this.#known.keys()].map((worker) => this.#ask(worker)))
    const { length } = this.#gone
    const snapshots = [own, ...this.#gone, ...this.#known.values()]
    const gone = await combineSnapshots(this.#gone).getMetricsAsJSON()
    this.#gone = [gone, ...this.#gone.slice(length)]
    return combineSnapshots(snapshots).metrics()
  }

  async #ask(worker: WorkerProcess): Promise<void> {
    const answered = Promise.withResolvers<void>()
    this.#asked.set(worker, answered.resolve)
    const timer = setTimeout(answered.resolve, ANSWER_MAX_MS)
    this.#request += 1
    if (worker.send({ type: "measure", request: this.#request })) await answered.promise
    clearTimeout(timer)
    this.#asked.delete(worker)
  }
}
