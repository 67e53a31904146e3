import { constants } from "node:fs"
import { open } from "node:fs/promises"
import { pipeline, Readable } from "node:stream"
import { createGunzip } from "node:zlib"
import {
  FileUnreadableError,
  MalformedError,
  SentinelError,
  systemErrorCode,
  TooLargeError,
} from "../errors.ts"

const CHUNK_BYTES = 65_536

export interface LineBounds {
  /** Bytes of one line; a longer one is reported and skipped. */
  readonly lineBytesMax: number
  /** Bytes of the whole text after decompression. */
  readonly textBytesMax: number
}

/** A line without its end; `error` stands in for one that is too long. Numbers count from 1. */
export type Line =
  | { readonly number: number; readonly bytes: Buffer }
  | { readonly number: number; readonly error: SentinelError }

/**
 * The non-empty lines of a file, decompressed where its name ends in `.gz`, in bounded memory. A
 * symbolic link is refused where `follow` is not set.
 * @throws FileUnreadableError, MalformedError for broken gzip data, TooLargeError
 */
export async function* readLines(
  path: string | Buffer,
  bounds: LineBounds & { readonly follow?: boolean },
): AsyncGenerator<Line> {
  const isGzip = (typeof path === "string" ? path : path.toString("latin1"))
    .toLowerCase()
    .endsWith(".gz")
  const chunks = readChunks(path, bounds.follow ?? false)
  try {
    yield* splitLines(isGzip ? gunzip(chunks) : chunks, bounds)
  } catch (error) {
    throw asReadError(error)
  }
}

/** A reader of its own: streams of this runtime take no path that is bytes. */
export async function* readChunks(path: string | Buffer, follow: boolean): AsyncGenerator<Buffer> {
  // Without `follow` a link or a pipe put there by someone else is neither followed nor waited for.
  const strict = constants.O_NOFOLLOW | constants.O_NONBLOCK
  const flags = follow ? constants.O_RDONLY : constants.O_RDONLY | strict
  const handle = await open(path as string, flags)
  try {
    for (;;) {
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(CHUNK_BYTES))
      if (bytesRead === 0) return
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await handle.close()
  }
}

function gunzip(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  // pipeline carries an error or an early end from either side to the other; the iteration of
  // the returned stream is what reports it.
  return pipeline(Readable.from(chunks), createGunzip(), () => undefined)
}

/** Splits at LF; a CR before it is dropped. @throws TooLargeError for the whole text */
export async function* splitLines(
  chunks: AsyncIterable<Uint8Array>,
  { lineBytesMax, textBytesMax }: LineBounds,
): AsyncGenerator<Line> {
  const splitter = new LineSplitter(lineBytesMax)
  let total = 0
  for await (const chunk of chunks) {
    total += chunk.length
    if (total > textBytesMax) throw new TooLargeError("file", textBytesMax)
    yield* splitter.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length))
  }
  yield* splitter.end()
}

/** Holds at most one unfinished line. */
class LineSplitter {
  readonly #lineBytesMax: number
  #parts: Buffer[] = []
  #length = 0
  #number = 0

  constructor(lineBytesMax: number) {
    this.#lineBytesMax = lineBytesMax
  }

  *push(chunk: Buffer): Generator<Line> {
    let start = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      // A kilobyte of gzip data can be a million empty lines: they must cost next to nothing.
      if (end === start && this.#length === 0) this.#number += 1
      else {
        this.#hold(chunk.subarray(start, end))
        yield* this.#take()
      }
      start = end + 1
    }
    this.#hold(Buffer.from(chunk.subarray(start)))
  }

  *end(): Generator<Line> {
    if (this.#length > 0) yield* this.#take()
  }

  #hold(part: Buffer): void {
    this.#length += part.length
    if (this.#length > this.#lineBytesMax) this.#parts = []
    else if (part.length > 0) this.#parts.push(part)
  }

  *#take(): Generator<Line> {
    const isTooLong = this.#length > this.#lineBytesMax
    const line = Buffer.concat(this.#parts)
    this.#parts = []
    this.#length = 0
    this.#number += 1
    const number = this.#number
    if (isTooLong) {
      yield { number, error: new TooLargeError("line", this.#lineBytesMax) }
      return
    }
    const bytes = line.at(-1) === 13 ? line.subarray(0, -1) : line
    if (bytes.length > 0) yield { number, bytes }
  }
}

export function asReadError(error: unknown): unknown {
  if (error instanceof SentinelError) return error
  const code = systemErrorCode(error)
  if (code?.startsWith("Z_")) return new MalformedError("file", "complete gzip data")
  return code === undefined ? error : asFileError(error)
}

const FILE_PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EISDIR: "is a directory",
}

/** The words for a file system error: the kind of the problem, never the path. */
export function asFileError(error: unknown): SentinelError {
  const problem = FILE_PROBLEMS[systemErrorCode(error) ?? ""]
  return new FileUnreadableError(problem ?? "cannot be read", error)
}
