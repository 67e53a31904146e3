import { describe, expect, setDefaultTimeout, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { kafkaClient } from "../src/connectors/kafka-client.ts"
import { DEAD_LETTER_TOPIC } from "../src/connectors/kafka-dead-letters.ts"
import { VERDICT_TOPIC } from "../src/connectors/kafka-sink.ts"
import type { Verdict } from "../src/events.ts"
import { openVerdictStore } from "../src/store/verdict-store.ts"
import type { SourceRecord } from "../src/stream/types.ts"
import { seededRandom } from "./support/seeded-random.ts"
import { requireFreshServer, requireService } from "./support/services.ts"
import { readTopics } from "./support/topic-reader.ts"

/*
 * Goal: no evidence is lost, doubled or wrongly believed, whatever happens to the process.
 * Method: a producer that shares no code with Sentinel (Python, its own clients and digests) stores
 * and announces packages of both forms, one in a hundred broken, and writes down what each must
 * become. The processor reads them while it is killed with SIGKILL at seeded points of its progress.
 * In the end the store, the verdict topic and the dead-letter topic, read read_committed, must agree
 * with that ledger: one record for each announcement.
 */

const PACKAGES = 10_000
const SEED = 20_260_301
const KILLS = 5
const ROOT = join(import.meta.dir, "..")

const producer = await requireService("producer")
const kafkaServer = producer && (await requireFreshServer("kafka"))
const minioServer = kafkaServer && (await requireFreshServer("minio"))
setDefaultTimeout(300_000)

interface LedgerLine {
  readonly event_id: string
  readonly value_sha256: string
  /** "verdict", or the code of the dead letter. */
  readonly expected: string
  readonly fault: string
  readonly copies: number
}

/** What the two topics said, by event id and by digest of the announcement. */
class Outcomes {
  /** By event id: each record, by its place. */
  readonly verdicts = new Map<string, Map<string, string>>()
  /** By digest of the announcement: each record, by its place. */
  readonly codes = new Map<string, Map<string, string>>()

  get settled(): number {
    return this.verdicts.size + this.codes.size
  }

  verdictsOf(eventId: string): number {
    return this.verdicts.get(eventId)?.size ?? 0
  }

  note({ topic, partition, offset, value }: SourceRecord): void {
    const text = new TextDecoder().decode(value)
    const place = `${partition}/${offset}`
    if (topic === VERDICT_TOPIC) {
      const { event_id: eventId } = JSON.parse(text) as Verdict
      note(this.verdicts, eventId, { place, value: text })
    } else {
      const letter = JSON.parse(text) as { readonly code: string; readonly value_base64: string }
      const announced = sha256(Buffer.from(letter.value_base64, "base64"))
      note(this.codes, announced, { place, value: letter.code })
    }
  }
}

function note(
  outcomes: Map<string, Map<string, string>>,
  key: string,
  seen: { readonly place: string; readonly value: string },
): void {
  const known = outcomes.get(key) ?? new Map<string, string>()
  outcomes.set(key, known.set(seen.place, seen.value))
}

function sha256(bytes: Uint8Array): string {
  return new Bun.CryptoHasher("sha256").update(bytes).digest("hex")
}

describe.skipIf(minioServer === undefined)("sentinel process", () => {
  const directory = mkdtempSync(join(tmpdir(), "sentinel-end-to-end-"))
  const dataDir = join(directory, "data")
  const brokers = kafkaServer?.brokers ?? []
  const environment = {
    ...process.env,
    KAFKA_BOOTSTRAP_SERVERS: brokers.join(","),
    MINIO_ENDPOINT: `${minioServer?.host}:${minioServer?.port}`,
    MINIO_SECURE: "false",
    MINIO_ACCESS_KEY: minioServer?.accessKey ?? "",
    MINIO_SECRET_KEY: minioServer?.secretKey ?? "",
    SENTINEL_DATA_DIR: dataDir,
    SENTINEL_METRICS_PORT: "0",
    SENTINEL_SANDBOX: "none",
    PYTHONDONTWRITEBYTECODE: "1",
  }

  function startProcessor() {
    return Bun.spawn([join(ROOT, "sentinel"), "process"], {
      env: environment,
      stdin: "ignore",
      stdout: "ignore",
      stderr: Bun.file(join(directory, `processor-${performance.now()}.log`)),
    })
  }

  async function produceAll(): Promise<readonly LedgerLine[]> {
    const ledger = join(directory, "ledger.jsonl")
    const script = join(ROOT, "test/support/producer/produce.py")
    const options = ["--packages", `${PACKAGES}`, "--seed", `${SEED}`, "--bucket", "evidence"]
    const { exited } = Bun.spawn([producer?.python ?? "", script, ...options, "--ledger", ledger], {
      env: environment,
      stdin: "ignore",
      stdout: "ignore",
      stderr: "inherit",
    })
    expect(await exited).toBe(0)
    const lines = (await Bun.file(ledger).text()).trimEnd().split("\n")
    return lines.map((line) => JSON.parse(line) as LedgerLine)
  }

  test("process gives every good package one verdict and every broken one its dead letter, killed five times", async () => {
    const outcomes = new Outcomes()
    const topics = [VERDICT_TOPIC, DEAD_LETTER_TOPIC]
    const reader = await readTopics(kafkaClient({ brokers }), topics, (record) =>
      outcomes.note(record),
    )
    let processor = startProcessor()
    /** A processor that ends by itself has failed: that must not look like a long wait. */
    const progress = (met: () => boolean) =>
      Promise.race([
        reader.until(met),
        processor.exited.then((code) => {
          throw new Error(`the processor ended with ${code}; its log is in ${directory}`)
        }),
      ])

    const producing = produceAll()
    const random = seededRandom(SEED)
    const moments = Array.from({ length: KILLS }, () => 0.02 + 0.9 * random()).sort()
    for (const moment of moments) {
      const before = outcomes.settled
      await progress(() => outcomes.settled > Math.max(before, moment * PACKAGES))
      processor.kill("SIGKILL")
      await processor.exited
      processor = startProcessor()
    }
    const ledger = await producing
    const good = ledger.filter(({ expected }) => expected === "verdict")
    const broken = ledger.filter(({ expected }) => expected !== "verdict")
    // some outcome for each, right or wrong: the comparison comes when all is at rest
    await progress(() =>
      ledger.every(
        ({ event_id, value_sha256 }) =>
          outcomes.verdicts.has(event_id) || outcomes.codes.has(value_sha256),
      ),
    )
    processor.kill("SIGTERM")
    expect(await processor.exited).toBe(0)
    await reader.close()

    expect(ledger).toHaveLength(PACKAGES)
    expect(broken).toHaveLength(PACKAGES / 100)
    expect(new Set(broken.map(({ fault }) => fault)).size).toBeGreaterThanOrEqual(10)

    const faultsAndCodes = broken.map(({ fault, value_sha256 }) => ({
      fault,
      codes: [...(outcomes.codes.get(value_sha256)?.values() ?? [])],
    }))
    expect(faultsAndCodes).toEqual(
      broken.map(({ fault, expected }) => ({ fault, codes: [expected] })),
    )
    expect(outcomes.codes.size).toBe(broken.length)
    expect(outcomes.verdicts.size).toBe(good.length)

    const store = openVerdictStore(join(dataDir, "store"))
    expect(store.count()).toBe(good.length)
    for (const { event_id: eventId } of good) {
      const published = [...(outcomes.verdicts.get(eventId)?.values() ?? [])]
      const stored = JSON.stringify(store.byEvent(eventId)?.verdict)
      // one record, however often the package was announced and the processor killed
      expect(published).toEqual([stored])
    }
    await store.close()
    rmSync(directory, { recursive: true, force: true })
  })
})
