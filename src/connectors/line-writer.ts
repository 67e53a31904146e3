import { once } from "node:events"
import { createWriteStream } from "node:fs"
import type { Writable } from "node:stream"
import { finished, pipeline } from "node:stream/promises"
import { createGzip } from "node:zlib"
import { asFileError } from "./lines.ts"

export interface LineWriter {
  /** Resolves once the writer has room for more. @throws FileUnreadableError */
  write(line: string): Promise<void>
  /** Resolves once all lines are handed to the system. */
  close(): Promise<void>
}

/** Characters gathered before the stream is called, which costs more than a line. */
const HELD_MAX = 65_536

/** Writes lines to a new file (compressed where the name ends in `.gz`) or to standard output (`-`). */
export function lineWriter(path: string): LineWriter {
  if (path === "-") return streamWriter(process.stdout, () => flush(process.stdout))
  const file = createWriteStream(path, { mode: 0o600 })
  if (!path.toLowerCase().endsWith(".gz")) return streamWriter(file, () => endOf(file))
  const gzip = createGzip()
  const written = pipeline(gzip, file)
  // The failure is thrown by the write or close that meets it.
  written.catch(() => undefined)
  return streamWriter(gzip, async () => {
    gzip.end()
    await written
  })
}

function streamWriter(stream: Writable, end: () => Promise<unknown>): LineWriter {
  let failure: unknown
  let held = ""
  stream.on("error", (error) => {
    failure = error
  })
  const writeHeld = async () => {
    if (failure !== undefined) throw failure
    const text = held
    held = ""
    if (!stream.write(text)) await once(stream, "drain")
  }
  return {
    async write(line) {
      held += `${line}\n`
      if (held.length >= HELD_MAX) await writeHeld().catch(rethrow)
    },
    async close() {
      await writeHeld().catch(rethrow)
      await end().catch(rethrow)
    },
  }
}

function rethrow(error: unknown): never {
  throw asFileError(error)
}

async function endOf(stream: Writable): Promise<void> {
  stream.end()
  await finished(stream)
}

/** Standard output stays open for others: only what is buffered is waited for. */
function flush(stream: Writable): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write("", (error) => (error ? reject(error) : resolve()))
  })
}
