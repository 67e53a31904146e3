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
  stream.on("error", (error) => {
    failure = error
  })
  return {
    async write(line) {
      if (failure !== undefined) throw asFileError(failure)
      if (stream.write(`${line}\n`)) return
      await once(stream, "drain").catch((error: unknown) => {
        throw asFileError(error)
      })
    },
    async close() {
      await end().catch((error: unknown) => {
        throw asFileError(error)
      })
    },
  }
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
