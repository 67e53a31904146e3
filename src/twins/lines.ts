import { writeSync } from "node:fs"

/** A request of the largest payload, every character of it escaped as \uXXXX, is far shorter. */
const LINE_BYTES_MAX = 1024 * 1024
const NEWLINE = 0x0a

/**
 * The lines of a stream without their newlines; `undefined` stands for a line of more than
 * `bytesMax`, which is skipped whole. An unfinished last line is dropped.
 */
export async function* readLines(
  stream: ReadableStream<Uint8Array>,
  bytesMax = LINE_BYTES_MAX,
): AsyncGenerator<string | undefined> {
  let parts: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of stream) {
    let rest = chunk
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
      bytes += end
      parts.push(rest.subarray(0, end))
      yield bytes > bytesMax ? undefined : Buffer.concat(parts).toString("utf8")
      parts = []
      bytes = 0
      rest = rest.subarray(end + 1)
    }
    bytes += rest.length
    if (bytes > bytesMax) parts = []
    else parts.push(rest.slice())
  }
}

/** Writes at once, so that what was said before a process spins or is killed is not lost. */
export function writeLine(descriptor: number, value: unknown): void {
  let bytes = Buffer.from(`${JSON.stringify(value)}\n`)
  while (bytes.length > 0) bytes = bytes.subarray(writeSome(descriptor, bytes))
}

function writeSome(descriptor: number, bytes: Uint8Array): number {
  try {
    return writeSync(descriptor, bytes)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error
    Bun.sleepSync(1) // the reader's pipe is full
    return 0
  }
}
