import { AsyncLocalStorage } from "node:async_hooks"
import http from "node:http"
import https from "node:https"
import type { Readable } from "node:stream"
import { Client } from "minio"
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
  readonly accessKey: string
  readonly secretKey: string
}

type Callback = (response: http.IncomingMessage) => void

/** Connections kept open; more gets at once than this wait for one. */
const CONNECTIONS_MAX = 64
/** The end of any call that its caller gave no earlier one. */
const CALL_TIMEOUT_MS = 60_000

/** The client takes no signal: the transport below finds the one of the call it works for here. */
const callSignal = new AsyncLocalStorage<AbortSignal>()

/**
 * Reads objects from MinIO or another S3 store. A call that the signal ends closes its connection;
 * without a signal, or with one that never fires, it ends after 60 s. The client retries nothing:
 * that is the engine's work.
 */
export function minioObjects(options: MinioOptions): ObjectStore {
  const client = connect(options)
  return {
    name: "minio",
    get: (bucket, key, { bytesMax, signal }) =>
      call(signal, () => getObject(client, { bucket, key }, bytesMax)),
    list: (bucket, prefix, { objectsMax, signal }) =>
      call(signal, (ended) => listObjects(client, { bucket, prefix, objectsMax }, ended)),
    async ping(signal) {
      await call(signal, () => client.listBuckets()).catch((error: unknown) => {
        // A user who may read one bucket need not be allowed to list them all.
        if (!(error instanceof LocationRefusedError)) throw error
      })
    },
  }
}

function connect(options: MinioOptions): Client {
  const { host, port, secure, accessKey, secretKey } = options
  const Agent = secure ? https.Agent : http.Agent
  const send: typeof http.request = secure ? https.request : http.request
  return new Client({
    endPoint: host,
    port,
    useSSL: secure,
    accessKey,
    secretKey,
    retryOptions: { disableRetry: true },
    transport: {
      request: (request: http.RequestOptions, onResponse?: Callback) => {
        const signal = callSignal.getStore()
        return send(signal ? { ...request, signal } : request, onResponse)
      },
    } as Pick<typeof http, "request"> as typeof http,
    transportAgent: new Agent({ keepAlive: true, maxSockets: CONNECTIONS_MAX }),
  })
}

async function call<T>(
  signal: AbortSignal | undefined,
  work: (ended: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted()
  const timeout = AbortSignal.timeout(CALL_TIMEOUT_MS)
  const ended = signal === undefined ? timeout : AbortSignal.any([signal, timeout])
  try {
    return await callSignal.run(ended, () => orEnded(work(ended), ended))
  } catch (error) {
    signal?.throwIfAborted()
    throw asObjectError(error)
  }
}

/** Whatever the transport does with the signal: the caller is never kept waiting. */
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

async function getObject(
  client: Client,
  { bucket, key }: { bucket: string; key: string },
  bytesMax: number,
): Promise<StoredObject> {
  const stream = await client.getObject(bucket, key)
  const bytes = await readBounded(stream, bytesMax)
  return { key, bytes, modifiedMs: lastModified(stream) }
}

/** The response is an http.IncomingMessage, though typed as a stream; its date has whole seconds. */
function lastModified(stream: Readable): number {
  const { headers } = stream as Readable & { headers?: Record<string, string | undefined> }
  const modifiedMs = Date.parse(headers?.["last-modified"] ?? "")
  return Number.isNaN(modifiedMs) ? 0 : modifiedMs
}

async function readBounded(stream: Readable, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let total = 0
  // Leaving the loop destroys the stream, and with it the connection.
  for await (const chunk of stream) {
    total += chunk.length
    if (total > bytesMax) throw new TooLargeError("evidence_uri", bytesMax)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, total)
}

async function listObjects(
  client: Client,
  { bucket, prefix, objectsMax }: { bucket: string; prefix: string; objectsMax: number },
  ended: AbortSignal,
): Promise<readonly ObjectEntry[]> {
  const entries: ObjectEntry[] = []
  for await (const item of client.listObjectsV2(bucket, prefix, true)) {
    ended.throwIfAborted()
    if (entries.length === objectsMax) throw new TooLargeError("location", objectsMax, "objects")
    const { name, size, lastModified } = item as BucketEntry
    // Milliseconds here, unlike in the answer to a get.
    entries.push({ key: name, bytes: size, modifiedMs: new Date(lastModified).getTime() })
  }
  return entries
}

interface BucketEntry {
  readonly name: string
  readonly size: number
  readonly lastModified: Date
}

const NOT_FOUND = new Set(["NoSuchKey", "NoSuchBucket", "NotFound"])
const REFUSED = new Set([
  "AccessDenied",
  "AllAccessDisabled",
  "InvalidAccessKeyId",
  "SignatureDoesNotMatch",
  "InvalidBucketName",
  "InvalidObjectName",
  "XMinioInvalidObjectName",
  "KeyTooLongError",
])

function asObjectError(error: unknown): SentinelError {
  if (error instanceof SentinelError) return error
  const { code = "", name = "" } =
    error instanceof Error ? (error as { code?: string; name?: string }) : {}
  if (NOT_FOUND.has(code)) return new ObjectNotFoundError()
  if (REFUSED.has(code) || /^Invalid(BucketName|ObjectName|Prefix)Error$/.test(name)) {
    return new LocationRefusedError("evidence_uri", "the object store refuses access to it")
  }
  return new UnavailableError("the object store", error)
}
