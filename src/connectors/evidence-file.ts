import { MalformedError, SentinelError, TooLargeError } from "../errors.ts"
import { inboxKind } from "./inbox-files.ts"
import { asReadError, type Line, readChunks, readLines, splitLines } from "./lines.ts"

/** One document, or why there is none. `name` is the path as given, with `:line` in a JSONL file. */
export type EvidenceFile =
  | { readonly name: string; readonly bytes: Uint8Array }
  | { readonly name: string; readonly error: SentinelError }

export interface EvidenceFileOptions {
  /** What `-` reads; default the process's standard input. */
  readonly stdin?: AsyncIterable<Uint8Array>
  /** Bytes of one document or line; default 16 MiB. */
  readonly documentBytesMax?: number
  /** Bytes of one `.tar.gz`; default 256 MiB. */
  readonly archiveBytesMax?: number
}

const MIB = 1_048_576
const TEXT_BYTES_MAX = 64 * 1_024 * MIB

/**
 * The documents of files and of standard input (`-`, JSON lines), in order, one in memory at a
 * time. A file or line that cannot be read is an item with its error: the others still follow.
 */
export async function* readEvidenceFiles(
  paths: readonly string[] | "-",
  options: EvidenceFileOptions = {},
): AsyncGenerator<EvidenceFile> {
  for (const path of paths === "-" ? ["-"] : paths) {
    try {
      yield* readOne(path, options)
    } catch (error) {
      const known = asReadError(error)
      if (!(known instanceof SentinelError)) throw error
      yield { name: path, error: known }
    }
  }
}

/**
 * The non-empty lines of a text file (`.gz` is decompressed) or of standard input (`-`).
 * @throws FileUnreadableError, TooLargeError for a line above 16 MiB, MalformedError
 */
export async function* textLines(
  path: string,
  options: Pick<EvidenceFileOptions, "stdin"> = {},
): AsyncGenerator<string> {
  for await (const line of linesOf(path, options)) {
    if ("error" in line) throw line.error
    yield line.bytes.toString()
  }
}

async function* readOne(path: string, options: EvidenceFileOptions): AsyncGenerator<EvidenceFile> {
  const kind = path === "-" ? "lines" : inboxKind(Buffer.from(path))
  if (kind === undefined) {
    throw new MalformedError("file", "a name ending in .json .har .tar.gz .jsonl or .jsonl.gz")
  }
  if (kind === "lines") {
    for await (const line of linesOf(path, options)) {
      const name = `${path}:${line.number}`
      yield "error" in line ? { name, error: line.error } : { name, bytes: line.bytes }
    }
    return
  }
  const { documentBytesMax = 16 * MIB, archiveBytesMax = 256 * MIB } = options
  yield {
    name: path,
    bytes: await readAll(path, kind === "archive" ? archiveBytesMax : documentBytesMax),
  }
}

/** The non-empty lines of a file or of standard input, with their numbers. @throws as `textLines` */
export function linesOf(path: string, options: EvidenceFileOptions = {}): AsyncGenerator<Line> {
  const lineBytesMax = options.documentBytesMax ?? 16 * MIB
  const bounds = { lineBytesMax, textBytesMax: TEXT_BYTES_MAX, follow: true }
  if (path !== "-") return readLines(path, bounds)
  return splitLines(options.stdin ?? Bun.stdin.stream(), bounds)
}

async function readAll(path: string, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let total = 0
  for await (const chunk of readChunks(path, true)) {
    total += chunk.length
    if (total > bytesMax) throw new TooLargeError("file", bytesMax)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, total)
}
