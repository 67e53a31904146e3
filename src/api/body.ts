import { isUtf8 } from "node:buffer"
import { withDeadline } from "../clock.ts"
import { TooLargeError } from "../errors.ts"
import { HttpError } from "./http-error.ts"

const JSON_TYPE = /^application\/json[ \t]*(?:;[ \t]*charset[ \t]*=[ \t]*"?utf-?8"?[ \t]*)?;?$/i
const TYPE_CHARACTERS_MAX = 100
const DEADLINE_MS = 30_000
/** Bodies so small that the idle timeout of the connection is enough; a timer costs each request. */
const UNTIMED_BYTES_MAX = 64 * 1_024
const REPLACEMENT = "\ufffd"

/**
 * Reads a JSON body as bytes.
 *
 * A byte order mark is dropped. Lone surrogates written as escapes are let through: they are text
 * that an attacker can send, and no reason not to judge it.
 *
 * @throws {HttpError} UNSUPPORTED_MEDIA_TYPE, INVALID_UTF8
 * @throws {TooLargeError}
 */
export async function readJsonBytes(request: Request, bytesMax: number): Promise<Uint8Array> {
  checkJsonType(request)
  const bytes = await readBytes(request, bytesMax)
  if (!isUtf8(bytes)) throw new HttpError("INVALID_UTF8")
  const marked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
  return marked ? bytes.subarray(3) : bytes
}

/** Reads and parses a JSON body. @throws as `readJsonBytes`, and {HttpError} MALFORMED_JSON */
export async function readJson(request: Request, bytesMax: number): Promise<unknown> {
  const announced = request.headers.get("content-length")
  const isSmall = bytesMax <= UNTIMED_BYTES_MAX && announced !== null
  if (!isSmall) return parseJson(await readJsonBytes(request, bytesMax))
  checkJsonType(request)
  return parseText(await readText(request, { announced: Number(announced), bytesMax }))
}

/**
 * The body of a small request by the runtime's own decoder: a tenth of the cost of a request less
 * than bytes that are checked and decoded here.
 *
 * The decoder puts U+FFFD in place of what is not UTF-8, which lengthens the text; only a character
 * of four bytes that lacks the last one is replaced at the same length, and is then judged as U+FFFD.
 */
async function readText(
  request: Request,
  { announced, bytesMax }: { announced: number; bytesMax: number },
): Promise<string> {
  if (announced > bytesMax) throw new TooLargeError("body", bytesMax)
  const text = await request.text()
  if (text.length > bytesMax) throw new TooLargeError("body", bytesMax)
  const isReplaced = text.includes(REPLACEMENT) && Buffer.byteLength(text) > announced
  if (isReplaced) throw new HttpError("INVALID_UTF8")
  return text
}

const decoder = new TextDecoder()

/** @throws {HttpError} MALFORMED_JSON, also for nesting that exhausts the parser's stack */
export function parseJson(bytes: Uint8Array): unknown {
  return parseText(decoder.decode(bytes))
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new HttpError("MALFORMED_JSON")
  }
}

/**
 * Reads a body without ever holding more than `bytesMax`.
 *
 * @throws {TooLargeError}
 * @throws {HttpError} REQUEST_TIMEOUT when a large body is not there by the deadline: one byte now
 * and then would otherwise hold its place for ever
 */
export async function readBytes(
  request: Request,
  bytesMax: number,
  deadlineMs = DEADLINE_MS,
): Promise<Uint8Array> {
  const announced = request.headers.get("content-length")
  if (announced !== null && Number(announced) > bytesMax) throw new TooLargeError("body", bytesMax)
  const reading = announced === null ? readStream(request, bytesMax) : readWhole(request, bytesMax)
  if (bytesMax <= UNTIMED_BYTES_MAX) return reading
  return withDeadline(deadlineMs, reading, () => {
    throw new HttpError("REQUEST_TIMEOUT")
  })
}

/** The server holds a client to the length it announced, so that length is already a bound. */
async function readWhole(request: Request, bytesMax: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(await request.arrayBuffer())
  if (bytes.length > bytesMax) throw new TooLargeError("body", bytesMax)
  return bytes
}

async function readStream(request: Request, bytesMax: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of request.body ?? []) {
    length += chunk.length
    // Leaving the loop cancels the stream: the rest is never read.
    if (length > bytesMax) throw new TooLargeError("body", bytesMax)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, length)
}

function checkJsonType(request: Request): void {
  const type = request.headers.get("content-type") ?? ""
  if (type === "application/json") return
  const isJson = type.length <= TYPE_CHARACTERS_MAX && JSON_TYPE.test(type)
  if (!isJson) throw new HttpError("UNSUPPORTED_MEDIA_TYPE")
}
