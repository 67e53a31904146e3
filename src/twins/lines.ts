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

// Taken before anything of a payload runs in this process: a page may replace what it finds
const { stringify } = JSON
const encoder = new TextEncoder()
const encode = encoder.encode.bind(encoder)

/** Writes at once, so that what was said before a process spins or is killed is not lost. */
export function writeLine(descriptor: number, value: unknown): void {
  writeBytes(descriptor, encodeLine(value))
}

/** The line as `writeBytes` takes it. */
export function encodeLine(value: unknown): Uint8Array {
  return encode(`${stringify(value)}\n`)
}

/** Writes all of it, at once. It uses nothing that a page in this process could have replaced. */
export function writeBytes(descriptor: number, bytes: Uint8Array): void {
  let written = 0
  while (written < bytes.length) written += writeSome(descriptor, bytes, written)
}

function writeSome(descriptor: number, bytes: Uint8Array, offset: number): number {
  try {
    return writeSync(descriptor, bytes, offset)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error
    Bun.sleepSync(1) // the reader's pipe is full
    return 0
  }
}
