import { S3Client } from "bun"
import {
  LocationRefusedError,
  ObjectNotFoundError,
  SentinelError,
  TooLargeError,
  UnavailableError,
} from "../errors.ts"
import type { StoredObject } from "../events.ts"
import type { ObjectEntry, ObjectStore } from "../ports.ts"

export interface MinioOptions {
  readonly host: string
  readonly port: number
  readonly secure: boolean
  readonly region: string
  readonly accessKey: string
  readonly secretKey: string
}

/** The end of a call whose caller named none. */
const CALL_TIMEOUT_MS = 60_000
/** Of a signed request: more than the clocks of two machines differ by. */
const SIGNATURE_VALID_S = 3_600
const LISTED_AT_ONCE_MAX = 1_000
/** Error documents of S3 are shorter. */
const ERROR_BYTES_MAX = 16_384
/** A bucket that nobody has: to be told so, the keys must be right. */
const PROBED_BUCKET = "sentinel-reachability-probe"

/**
 * Reads objects from MinIO or another S3 store. A get that is ended by its signal closes its
 * connection, a listing is given up. Without a signal a call ends after 60 s. Nothing is tried again:
 * that is the engine's work.
 */
export function minioObjects(options: MinioOptions): ObjectStore {
  const client = connect(options)
  return {
    name: "minio",
    get: (bucket, key, { bytesMax, signal }) =>
      call(signal, (ended) => {
        const url = client.presign(key, { bucket, expiresIn: SIGNATURE_VALID_S })
        return getObject(url, { key, bytesMax, ended })
      }),
    list: (bucket, prefix, { objectsMax, signal }) =>
      call(signal, (ended) => listObjects(client, { bucket, prefix, objectsMax }, ended)),
    ping: (signal) => call(signal, () => probe(client)),
  }
}

function connect({ host, port, secure, region, accessKey, secretKey }: MinioOptions): S3Client {
  const address = host.includes(":") ? `[${host}]` : host
  return new S3Client({
    endpoint: `${secure ? "https" : "http"}://${address}:${port}`,
    ...{ region, accessKeyId: accessKey, secretAccessKey: secretKey },
  })
}

async function call<T>(
  signal: AbortSignal = AbortSignal.timeout(CALL_TIMEOUT_MS),
  work: (ended: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted()
  try {
    return await orEnded(work(signal), signal)
  } catch (error) {
    signal.throwIfAborted()
    throw asObjectError(error)
  }
}

/** Whatever the client does with the signal: the caller is never kept waiting. */
async function orEnded<T>(work: Promise<T>, ended: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const end = () => reject(ended.reason)
  ended.addEventListener("abort", end)
  try {
    return await Promise.race([work, promise])
  } finally {
    ended.removeEventListener("abort", end)
  }
}

/** A signed request of its own, since the client's get has no signal, bound or date. */
async function getObject(
  url: string,
  { key, bytesMax, ended }: { key: string; bytesMax: number; ended: AbortSignal },
): Promise<StoredObject> {
  // as stored: bytes that the store calls compressed are neither unpacked nor digested as such
  const response = await fetch(url, { signal: ended, redirect: "manual", decompress: false })
  const bytes = Number(response.headers.get("content-length") ?? Number.POSITIVE_INFINITY)
  if (!response.ok) throw new StoreError(await errorCode(response, bytes))
  if (bytes > bytesMax) {
    await response.body?.cancel()
    throw new TooLargeError("evidence_uri", bytesMax)
  }
  return { key, bytes: await response.bytes(), modifiedMs: lastModified(response) }
}

/** Whole seconds. */
function lastModified({ headers }: Response): number {
  const modifiedMs = Date.parse(headers.get("last-modified") ?? "")
  return Number.isNaN(modifiedMs) ? 0 : modifiedMs
}

/** What a store answered instead of an object. */
class StoreError extends Error {
  readonly code: string

  constructor(code: string) {
    super(`the object store answered ${code}`)
    this.code = code
  }
}

async function errorCode(response: Response, bytes: number): Promise<string> {
  if (bytes > ERROR_BYTES_MAX) {
    await response.body?.cancel()
    return `${response.status}`
  }
  return /<Code>(\w{1,64})<\/Code>/.exec(await response.text())?.[1] ?? `${response.status}`
}

async function listObjects(
  client: S3Client,
  { bucket, prefix, objectsMax }: { bucket: string; prefix: string; objectsMax: number },
  ended: AbortSignal,
): Promise<readonly ObjectEntry[]> {
  const entries: ObjectEntry[] = []
  let continuationToken: string | undefined
  do {
    ended.throwIfAborted()
    // one more than are wanted tells that there are more
    const maxKeys = Math.min(LISTED_AT_ONCE_MAX, objectsMax - entries.length + 1)
    const page = { prefix, maxKeys, ...(continuationToken && { continuationToken }) }
    const listed = await client.list(page, { bucket })
    for (const { key, size = 0, lastModified = "" } of listed.contents ?? []) {
      // milliseconds, unlike in the answer to a get
      entries.push({ key, bytes: size, modifiedMs: Date.parse(lastModified) })
    }
    if (entries.length > objectsMax) throw new TooLargeError("location", objectsMax, "objects")
    continuationToken = listed.isTruncated ? listed.nextContinuationToken : undefined
  } while (continuationToken !== undefined)
  return entries
}

/** A user who may read one bucket need not be allowed to look at another. */
async function probe(client: S3Client): Promise<void> {
  try {
    await client.list({ maxKeys: 1 }, { bucket: PROBED_BUCKET })
  } catch (error) {
    const code = codeOf(error)
    if (code !== "NoSuchBucket" && code !== "AccessDenied") throw error
  }
}

const NOT_FOUND = new Set(["NoSuchKey", "NoSuchBucket", "404"])
const REFUSED = new Set([
  "AccessDenied",
  "AllAccessDisabled",
  "InvalidAccessKeyId",
  "SignatureDoesNotMatch",
  "InvalidBucketName",
  "InvalidObjectName",
  "XMinioInvalidObjectName",
  "XMinioInvalidResourceName",
  "KeyTooLongError",
  "ERR_S3_INVALID_PATH",
])

function codeOf(error: unknown): string {
  return error instanceof Error ? String((error as { code?: unknown }).code) : ""
}

function asObjectError(error: unknown): SentinelError {
  if (error instanceof SentinelError) return error
  const code = codeOf(error)
  if (NOT_FOUND.has(code)) return new ObjectNotFoundError()
  if (REFUSED.has(code)) {
    return new LocationRefusedError("evidence_uri", "the object store refuses access to it")
  }
  return new UnavailableError("the object store", error)
}
