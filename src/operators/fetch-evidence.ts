import { ObjectNotFoundError, TooLargeError } from "../errors.ts"
import type { EvidenceEvent, FetchedEvidence, ObjectLocation, StoredObject } from "../events.ts"
import { EVIDENCE_BYTES_MAX } from "../evidence/decode-event.ts"
import type { ObjectEntry, ObjectStore } from "../ports.ts"
import type { Operator } from "../stream/types.ts"

const OBJECTS_MAX = 1_000
const GETS_AT_ONCE = 4

interface FetchOptions {
  readonly objects: ObjectStore
  /** Bytes of one piece of evidence, all its objects together; default EVIDENCE_BYTES_MAX. */
  readonly bytesMax?: number
  /** Objects under one prefix; default 1,000. */
  readonly objectsMax?: number
}

type Prefix = Extract<ObjectLocation, { kind: "prefix" }>

/**
 * Fetches what the event points to: the inline bytes, one object, or all objects under a prefix
 * (one listing, then at most four gets at once).
 *
 * @throws ObjectNotFoundError also for an empty prefix; TooLargeError; UnavailableError (retryable)
 */
export function fetchEvidence(options: FetchOptions): Operator<EvidenceEvent, FetchedEvidence> {
  const bytesMax = options.bytesMax ?? EVIDENCE_BYTES_MAX
  return {
    name: "fetch_evidence",
    concurrency: 16,
    timeoutMs: 30_000,
    process(event, context) {
      const { location } = event
      if (location.kind === "inline") {
        return { ...event, objects: [{ key: "", bytes: location.bytes, modifiedMs: 0 }] }
      }
      const { signal } = context
      return fetchStored(location, { ...options, bytesMax, signal }).then((objects) => {
        return { ...event, objects }
      })
    },
  }
}

type StoreOptions = FetchOptions & { bytesMax: number; signal: AbortSignal }

async function fetchStored(
  location: Exclude<ObjectLocation, { kind: "inline" }>,
  options: StoreOptions,
): Promise<StoredObject[]> {
  if (location.kind === "prefix") return fetchPrefix(location, options)
  return [await options.objects.get(location.bucket, location.key, options)]
}

async function fetchPrefix(location: Prefix, options: StoreOptions): Promise<StoredObject[]> {
  const { objects, bytesMax, signal } = options
  const listed = await objects.list(location.bucket, location.prefix, {
    objectsMax: options.objectsMax ?? OBJECTS_MAX,
    signal,
  })
  const entries = listed.filter((entry) => !entry.key.endsWith("/"))
  if (entries.length === 0) throw new ObjectNotFoundError()
  const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0)
  if (bytes > bytesMax) throw new TooLargeError("location", bytesMax)
  return getAll(entries, (entry) => getListed(location.bucket, entry, options), bytesMax)
}

/** The listing's time counts: the form B checksum goes by it, and a get may round it to seconds. */
async function getListed(
  bucket: string,
  entry: ObjectEntry,
  { objects, bytesMax, signal }: StoreOptions,
): Promise<StoredObject> {
  const object = await objects.get(bucket, entry.key, { bytesMax, signal })
  return { key: entry.key, bytes: object.bytes, modifiedMs: entry.modifiedMs }
}

/** Counts the bytes again: objects may have been overwritten since they were listed. */
async function getAll(
  entries: readonly ObjectEntry[],
  get: (entry: ObjectEntry) => Promise<StoredObject>,
  bytesMax: number,
): Promise<StoredObject[]> {
  const results: StoredObject[] = []
  const queue = [...entries.entries()].reverse()
  let bytes = 0
  const worker = async () => {
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      const object = await get(next[1])
      bytes += object.bytes.byteLength
      if (bytes > bytesMax) throw new TooLargeError("location", bytesMax)
      results[next[0]] = object
    }
  }
  try {
    await Promise.all(Array.from({ length: GETS_AT_ONCE }, worker))
  } finally {
    queue.length = 0 // after a failure the other workers must not go on
  }
  return results
}
