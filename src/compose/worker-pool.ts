import { Piscina } from "piscina"
import { UnavailableError, WorkerFailedError } from "../errors.ts"

/** Threads that compute what would keep the event loop from answering. */
export interface WorkerPool<Task, Result> {
  /**
   * Waits for a free thread; at most `queueMax` tasks wait.
   * @param signal ends the thread that runs the task; another one takes its place
   * @param transfer of the task: moved to the thread, not copied
   * @throws UnavailableError where they do; WorkerFailedError where the task threw
   */
  run(task: Task, signal?: AbortSignal, transfer?: readonly ArrayBuffer[]): Promise<Result>
  /** Lets what runs finish, for a few seconds at most. */
  close(): Promise<void>
}

export interface WorkerPoolOptions {
  /** Module whose default export takes one task; plain data goes in and comes out. */
  readonly file: URL
  readonly threads: number
  readonly queueMax: number
}

const CLOSE_TIMEOUT_MS = 5_000

/**
 * A fixed number of threads, started with the first task: they are never replaced, for each costs
 * tens of megabytes and its warm-up.
 */
export function workerPool<Task, Result>(options: WorkerPoolOptions): WorkerPool<Task, Result> {
  let pool: Piscina<Task, Result> | undefined
  const open = () => {
    pool ??= new Piscina<Task, Result>({
      filename: options.file.href,
      minThreads: options.threads,
      maxThreads: options.threads,
      maxQueue: options.queueMax,
      idleTimeout: Number.POSITIVE_INFINITY,
      closeTimeout: CLOSE_TIMEOUT_MS,
      recordTiming: false,
    })
    // a thread that dies between tasks is replaced, or fails the next task: nobody else need know
    pool.on("error", () => undefined)
    return pool
  }
  return {
    async run(task, signal, transfer = []) {
      const threads = open()
      if (threads.queueSize >= options.queueMax) throw new UnavailableError("a worker thread")
      try {
        // its type is taken from another overload of postMessage than the one that it calls
        const options = { transferList: [...transfer], ...(signal && { signal }) } as unknown
        return await threads.run(task, options as Parameters<typeof threads.run>[1])
      } catch (error) {
        signal?.throwIfAborted()
        // an error that crosses a thread is no SentinelError any more: it would be a bug there
        throw new WorkerFailedError(error)
      }
    },
    close: async () => pool?.close({ force: true }),
  }
}
