import { ensureTopics, idempotentProducer, type Kafka } from "../../src/connectors/kafka-client.ts"
import { WORK } from "./work.ts"

const MESSAGES_PER_REQUEST = 2_000
const SESSIONS = 5_000
const WORDS = [
  "select",
  "<b>",
  "id=1",
  "' or",
  "hello",
  "world;",
  "$(id)",
  "lorem",
  "ipsum",
  "&x=2",
]

export type RecordKind = "good" | "wrong" | "malformed"

export interface Load {
  readonly topic: string
  readonly count: number
  /** By index; default: one in a hundred has a wrong digest. */
  readonly kindOf?: (index: number) => RecordKind
}

/** Puts `count` records of about 1 KiB into a topic, dealt out over its partitions. */
export async function loadRecords(kafka: Kafka, load: Load): Promise<void> {
  const { topic, count, kindOf = wrongInAHundred } = load
  await ensureTopics(kafka, [{ topic }])
  const producer = idempotentProducer(kafka)
  await producer.connect()
  for (let start = 0; start < count; start += MESSAGES_PER_REQUEST) {
    const size = Math.min(MESSAGES_PER_REQUEST, count - start)
    const messages = Array.from({ length: size }, (_, offset) => message(start + offset, kindOf))
    await producer.send({ topic, acks: -1, messages })
  }
  await producer.disconnect()
}

export const MALFORMED = '{"event_id": "event-without-end'

function message(index: number, kindOf: (index: number) => RecordKind) {
  const key = `session-${(index * 7_919) % SESSIONS}`
  const kind = kindOf(index)
  const value = kind === "malformed" ? MALFORMED : JSON.stringify(event(index, key, kind))
  return { key, value, partition: index % WORK.partitions }
}

function event(index: number, session_id: string, kind: RecordKind) {
  const payload = payloadOf(index)
  const digest = new Bun.CryptoHasher("sha256").update(payload).digest("hex")
  return {
    event_id: `event-${index}`,
    session_id,
    timestamp: "2026-11-03T09:14:02Z",
    payload,
    sha256:
      kind === "wrong" ? digest.replace(/^./, (first) => (first === "0" ? "1" : "0")) : digest,
    tags: ["poi", "bench"],
    meta: { attacker_ip: "203.0.113.9", is_tor: false, prior_poi_count: index % 5 },
  }
}

function wrongInAHundred(index: number): RecordKind {
  return index % Math.round(1 / WORK.wrong) === 7 ? "wrong" : "good"
}

function payloadOf(index: number): string {
  let text = ""
  for (let i = index; text.length < 700; i = (i * 31 + 17) % 1_000_003) {
    text += `${WORDS[i % WORDS.length]} `
  }
  return text
}
