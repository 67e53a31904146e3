import { Client } from "minio"
import { systemClock } from "../../src/clock.ts"
import { observeNothing } from "../../src/compose/engine-observer.ts"
import { analysisParts } from "../../src/compose/flow-parts.ts"
import { openModels } from "../../src/compose/models.ts"
import { type MinioConfig, readConfig } from "../../src/config.ts"
import { sha256Hex } from "../../src/evidence/digest.ts"
import { buildAnalysis } from "../../src/pipeline.ts"
import { minioObjects } from "../../src/services/minio-objects.ts"
import { Evaluation } from "../../src/stream/evaluate.ts"
import type { SourceRecord } from "../../src/stream/types.ts"
import { type Row, row, type SuiteOptions } from "../harness.ts"
import { analysisPackages } from "./analysis-packages.ts"

/** Packages on their way at once: as many as the flow fetches. */
const CONCURRENCY = 16
const ROUND = 500
const WARM_UP = 1_000
const ROUNDS = { quick: 2, full: 6 }
const BYTES_MAX = 1_048_576

/**
 * The analysis flow with its objects in MinIO, from announcement to explained verdict, beside gets
 * of the same objects alone, by the client that the flow uses and by minio-js; in turns, so that all
 * meet the same machine. The server shares the cores with them.
 */
export async function analysisMinioRows({ quick, env }: SuiteOptions): Promise<readonly Row[]> {
  const config = readConfig(env)
  if (config.minio === undefined) throw new Error("the suite runs without MinIO")
  const rounds = quick ? ROUNDS.quick : ROUNDS.full
  const client = minioClient(config.minio)
  const stored = await storePackages(client, WARM_UP + ROUND * rounds)
  const objects = minioObjects(config.minio)
  const flow = buildAnalysis(analysisParts(await openModels(config), config, objects))
  const evaluation = new Evaluation(flow, {
    ...{ clock: systemClock, observer: observeNothing, random: Math.random },
  })
  const { signal } = new AbortController()
  const analyze = async ({ record }: StoredPackage) => {
    const { verdict } = await evaluation.evaluate(record, signal)
    if (verdict.integrity !== "verified") throw new Error(`integrity ${verdict.integrity}`)
  }
  const get = ({ bucket, key }: StoredPackage) =>
    objects.get(bucket, key, { bytesMax: BYTES_MAX, signal })
  const getByMinioJs = async ({ bucket, key }: StoredPackage) => {
    const chunks: Uint8Array[] = []
    for await (const chunk of await client.getObject(bucket, key)) chunks.push(chunk)
    return Buffer.concat(chunks)
  }
  const [gets, otherGets, analyses] = [new Pace(), new Pace(), new Pace()]
  await new Pace().time(stored.slice(0, WARM_UP), analyze)
  await new Pace().time(stored.slice(0, WARM_UP), getByMinioJs)
  for (let at = WARM_UP; at < stored.length; at += ROUND) {
    const packages = stored.slice(at, at + ROUND)
    await gets.time(packages, get)
    await otherGets.time(packages, getByMinioJs)
    await analyses.time(packages, analyze)
  }
  const rate = { value: analyses.perSecond, unit: "packages/s" }
  return [
    row({
      ...{ name: "analysis_minio, against gets alone by Bun's S3 client", ...rate },
      ...{ baseline: gets.perSecond, goal: { of: "ratio", least: 0.8 } },
    }),
    row({
      ...{ name: "analysis_minio, against gets alone by minio-js", ...rate },
      baseline: otherGets.perSecond,
    }),
    row({ name: "analysis_minio: cpu", value: analyses.cpuMicroseconds, unit: "us/package" }),
    row({
      name: "analysis_minio: cpu of a get by Bun's S3 client",
      ...{ value: gets.cpuMicroseconds, unit: "us/package" },
    }),
    row({
      name: "analysis_minio: cpu of a get by minio-js",
      ...{ value: otherGets.cpuMicroseconds, unit: "us/package" },
    }),
  ]
}

/** What some work took, over all the times that it was done. */
class Pace {
  #count = 0
  #wallMs = 0
  #cpuMicroseconds = 0

  async time<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
    const [cpu, startedMs] = [process.cpuUsage(), performance.now()]
    await atOnce(items, work)
    const { user, system } = process.cpuUsage(cpu)
    this.#count += items.length
    this.#wallMs += performance.now() - startedMs
    this.#cpuMicroseconds += user + system
  }

  get perSecond(): number {
    return (this.#count * 1_000) / this.#wallMs
  }

  get cpuMicroseconds(): number {
    return this.#cpuMicroseconds / this.#count
  }
}

async function atOnce<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const open = items.values()
  const worker = async () => {
    for (const item of open) await work(item)
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, worker))
}

interface StoredPackage {
  readonly bucket: string
  readonly key: string
  /** Its announcement. */
  readonly record: SourceRecord
}

function minioClient({ host: endPoint, secure: useSSL, ...access }: MinioConfig): Client {
  return new Client({ endPoint, useSSL, ...access })
}

async function storePackages(client: Client, count: number): Promise<readonly StoredPackage[]> {
  const bucket = `bench-${crypto.randomUUID()}`
  await client.makeBucket(bucket)
  const packages = analysisPackages(count).map((bytes, index) => {
    const key = `${index}.json`
    return { bucket, key, bytes, record: announcement({ bucket, key, bytes }, index) }
  })
  await atOnce(packages, ({ key, bytes }) => client.putObject(bucket, key, Buffer.from(bytes)))
  return packages.map(({ key, record }) => ({ bucket, key, record }))
}

function announcement(
  { bucket, key, bytes }: { bucket: string; key: string; bytes: Uint8Array },
  index: number,
): SourceRecord {
  const event = {
    ...{ event_id: `event-${index}`, session_id: `session-${index}`, source: "labyrinth" },
    ...{ timestamp: "2026-11-03T09:14:02Z", tags: [], meta: {} },
    ...{ evidence_uri: `minio://${bucket}/${key}`, sha256: sha256Hex(bytes) },
  }
  return {
    ...{ topic: "events.evidence_created", partition: 0, offset: BigInt(index), key: null },
    ...{ value: Buffer.from(JSON.stringify(event)), headers: {}, timestampMs: 0, receivedAtMs: 0 },
  }
}
