import { mkdir, mkdtemp } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { ensureTopics, idempotentProducer, type Kafka } from "../src/connectors/kafka-client.ts"
import { VERDICT_TOPIC } from "../src/connectors/kafka-sink.ts"
import { committedRecords } from "./harness-kafka.ts"
import { watchPeak } from "./harness-memory.ts"
import type { EvidencePackage } from "./harness-packages.ts"

export const EVIDENCE_TOPIC = "events.evidence_created"

const BUCKET = "evidence"
const MAIN = resolve(import.meta.dir, "../src/main.ts")
const MESSAGES_PER_REQUEST = 500
const POLL_MS = 100
const TIMEOUT_MS = 180_000
/** Of a processor's log, when it failed. */
const LOG_SHOWN_BYTES = 4_096
/** Verdicts before this share of all are warm-up: joining the group, compiling, first fetches. */
const WARM_UP_SHARE = 0.1

export interface ProcessorRun {
  readonly packagesPerSecond: number
  /** User and system time of the whole process, start and stop included. */
  readonly cpuMicrosecondsEach: number
  readonly peakMiB: number
}

type Environment = Readonly<Record<string, string | undefined>>

/** A data directory whose object folder holds the packages. The caller removes it. */
export async function storePackages(packages: readonly EvidencePackage[]): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), "sentinel-bench-"))
  const folder = join(dataDir, "objects", BUCKET)
  await mkdir(folder, { recursive: true })
  for (const { sessionId, bytes } of packages) {
    await Bun.write(join(folder, `${sessionId}.json`), bytes)
  }
  return dataDir
}

/** Reads the announced package from the folder and parses it: what no consumer can do without. */
export function parsePackage(dataDir: string): (event: unknown) => Promise<void> {
  return async (event) => {
    const { session_id: sessionId } = event as { readonly session_id: string }
    await Bun.file(join(dataDir, "objects", BUCKET, `${sessionId}.json`)).json()
  }
}

/** Announces the packages as Labyrinth would (form A). */
export async function announcePackages(
  kafka: Kafka,
  packages: readonly EvidencePackage[],
): Promise<void> {
  await ensureTopics(kafka, [{ topic: EVIDENCE_TOPIC }, { topic: VERDICT_TOPIC }])
  const producer = idempotentProducer(kafka)
  await producer.connect()
  for (let start = 0; start < packages.length; start += MESSAGES_PER_REQUEST) {
    const messages = packages.slice(start, start + MESSAGES_PER_REQUEST).map(announcement)
    await producer.send({ topic: EVIDENCE_TOPIC, messages })
  }
  await producer.disconnect()
}

function announcement({ sessionId, bytes }: EvidencePackage) {
  const event = {
    event_id: `event-${sessionId}`,
    timestamp: "2026-11-03T09:14:02Z",
    source: "labyrinth",
    session_id: sessionId,
    evidence_uri: `minio://${BUCKET}/${sessionId}.json`,
    sha256: new Bun.CryptoHasher("sha256").update(bytes).digest("hex"),
    tags: ["poi"],
    meta: { is_tor: false, is_vpn: false, prior_poi_count: 0 },
  }
  return { key: sessionId, value: JSON.stringify(event) }
}

/**
 * Runs `process` in a process of its own until it has published `count` verdicts.
 * @throws Error when it ends early or takes longer than three minutes
 */
export async function runProcessor(
  kafka: Kafka,
  options: { env: Environment; dataDir: string; count: number; threads: number },
): Promise<ProcessorRun> {
  // every run reads all that was announced
  const groupId = `bench-${crypto.randomUUID()}`
  const logFile = join(options.dataDir, "processor.log")
  const child = Bun.spawn([process.execPath, MAIN, "process"], {
    cwd: options.dataDir,
    env: {
      ...options.env,
      SENTINEL_METRICS_PORT: "0",
      SENTINEL_SANDBOX: "none",
      SENTINEL_ANALYSIS_THREADS: `${options.threads}`,
      SENTINEL_DATA_DIR: options.dataDir,
      KAFKA_GROUP_ID: groupId,
      MINIO_ENDPOINT: "",
    },
    stdio: ["ignore", "ignore", Bun.file(logFile)],
    timeout: TIMEOUT_MS,
  })
  const peak = watchPeak(child.pid)
  try {
    const packagesPerSecond = await measureRate(kafka, { ...options, groupId }, child).catch(
      async (error) => {
        process.stderr.write(await Bun.file(logFile).slice(-LOG_SHOWN_BYTES).text())
        throw error
      },
    )
    child.kill("SIGTERM")
    await child.exited
    const usage = child.resourceUsage()
    return {
      packagesPerSecond,
      cpuMicrosecondsEach: Number(usage?.cpuTime.total ?? Number.NaN) / options.count,
      peakMiB: peak.kibibytes / 1_024,
    }
  } finally {
    peak.stop()
    child.kill("SIGKILL")
  }
}

/** Verdicts per second between the warm-up share and the last one. */
async function measureRate(
  kafka: Kafka,
  { count, groupId }: { readonly count: number; readonly groupId: string },
  child: { readonly exitCode: number | null },
): Promise<number> {
  let first: { readonly count: number; readonly atMs: number } | undefined
  for (;;) {
    // in the transactions that send the verdicts: to count these would count the markers as well
    const published = await committedRecords(kafka, groupId, EVIDENCE_TOPIC)
    const atMs = performance.now()
    if (first === undefined && published >= count * WARM_UP_SHARE)
      first = { count: published, atMs }
    if (published >= count) {
      return first === undefined || first.atMs === atMs
        ? Number.NaN
        : ((published - first.count) * 1_000) / (atMs - first.atMs)
    }
    if (child.exitCode !== null) throw new Error(`the processor ended with ${child.exitCode}`)
    await Bun.sleep(POLL_MS)
  }
}
