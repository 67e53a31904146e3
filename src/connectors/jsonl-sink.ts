import { constants } from "node:fs"
import { type FileHandle, open, rename } from "node:fs/promises"
import { systemErrorCode, UnavailableError } from "../errors.ts"
import type { ExplainedVerdict } from "../events.ts"
import { jsonLine } from "../json-line.ts"
import type { RecordedTask } from "../simulation-result.ts"
import type { WritingSink } from "../stream/types.ts"

export interface JsonlSinkOptions {
  /** Bytes from which a file is set aside as `<path>.1`, the older ones moving up; default 64 MiB. */
  readonly fileBytesMax?: number
  /** Files set aside that are kept; default 8. */
  readonly filesMax?: number
}

interface PendingLine {
  /** With its newline. */
  readonly text: string
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/**
 * Appends `{event_id, session_id, verdict, explanation}`, one JSON line each, and resolves once
 * it is on disk. Writes that arrive together share one fdatasync. At least once: a redelivered
 * event may have two equal lines, told by `event_id`.
 */
export function jsonlSink(
  path: string,
  options: JsonlSinkOptions = {},
): WritingSink<ExplainedVerdict> {
  const log = new LineLog(path, { fileBytesMax: 64 * 1_048_576, filesMax: 8, ...options })
  return {
    name: "jsonl",
    guarantee: "at-least-once",
    // The bound of what waits for one fdatasync.
    concurrency: 256,
    write: ({ verdict, explanation }) => {
      const { event_id, session_id } = verdict
      return log.append(jsonLine({ event_id, session_id, verdict, explanation }))
    },
    close: () => log.close(),
  }
}

/**
 * Appends each result of a simulation, inconclusive ones included, as one JSON line; at least once, told
 * by `simulation_id`.
 */
export function simulationLinesSink(
  path: string,
  options: JsonlSinkOptions = {},
): WritingSink<RecordedTask> {
  const log = new LineLog(path, { fileBytesMax: 64 * 1_048_576, filesMax: 8, ...options })
  return {
    name: "simulation_lines",
    guarantee: "at-least-once",
    concurrency: 256,
    async write({ completed }) {
      await Promise.all(completed.map((job) => log.append(jsonLine(job))))
    },
    close: () => log.close(),
  }
}

class LineLog {
  readonly #path: string
  readonly #options: Required<JsonlSinkOptions>
  #pending: PendingLine[] = []
  #flushing: Promise<void> | undefined
  #file: { readonly handle: FileHandle; bytes: number } | undefined

  constructor(path: string, options: Required<JsonlSinkOptions>) {
    this.#path = path
    this.#options = options
  }

  append(line: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#pending.push({ text: line, resolve, reject })
    this.#flushing ??= this.#flush()
    return promise
  }

  async close(): Promise<void> {
    await this.#flushing
    await this.#file?.handle.close()
    this.#file = undefined
  }

  async #flush(): Promise<void> {
    // Lines appended in the same turn go along.
    await Promise.resolve()
    while (this.#pending.length > 0) {
      const batch = this.#pending
      this.#pending = []
      try {
        await this.#writeDurably(batch.map(({ text }) => text).join(""))
        for (const line of batch) line.resolve()
      } catch (error) {
        for (const line of batch) line.reject(new UnavailableError("the file of results", error))
      }
    }
    // In the turn that found nothing pending: a line appended later starts the next flush.
    this.#flushing = undefined
  }

  async #writeDurably(text: string): Promise<void> {
    const file = await this.#openFile()
    const bytes = Buffer.from(text)
    try {
      await file.handle.writeFile(bytes)
      await file.handle.datasync()
      file.bytes += bytes.length
    } catch (error) {
      // The next attempt opens the file anew and so cuts off what this one may have written.
      this.#file = undefined
      await file.handle.close()
      throw error
    }
  }

  async #openFile() {
    if (this.#file && this.#file.bytes >= this.#options.fileBytesMax) await this.#rotate()
    this.#file ??= await openAtLineEnd(this.#path)
    return this.#file
  }

  async #rotate(): Promise<void> {
    await this.#file?.handle.close()
    this.#file = undefined
    for (let number = this.#options.filesMax - 1; number >= 0; number -= 1) {
      const from = number === 0 ? this.#path : `${this.#path}.${number}`
      await rename(from, `${this.#path}.${number + 1}`).catch(ignoreMissing)
    }
  }
}

/** Opens for appending; a line cut by a crash was never acknowledged and is removed. */
async function openAtLineEnd(path: string) {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_APPEND
  const handle = await open(path, flags, 0o600)
  const { size } = await handle.stat()
  const bytes = await lastLineEnd(handle, size)
  if (bytes < size) await handle.truncate(bytes)
  return { handle, bytes }
}

async function lastLineEnd(handle: FileHandle, size: number): Promise<number> {
  const chunk = Buffer.alloc(65_536)
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - chunk.length)
    const { bytesRead } = await handle.read(chunk, 0, end - start, start)
    const newline = chunk.subarray(0, bytesRead).lastIndexOf(10)
    if (newline >= 0) return start + newline + 1
    end = start
  }
  return 0
}

function ignoreMissing(error: unknown): void {
  if (systemErrorCode(error) !== "ENOENT") throw error
}
