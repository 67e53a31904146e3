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

/** Puts `count` records of about 1 KiB into the input topic; one in a hundred has a wrong digest. */
export async function loadRecords(kafka: Kafka, count: number): Promise<void> {
  await ensureTopics(
    kafka,
    [WORK.input, WORK.output, WORK.dead].map((topic) => ({ topic })),
  )
  const producer = idempotentProducer(kafka)
  await producer.connect()
  for (let start = 0; start < count; start += MESSAGES_PER_REQUEST) {
    const size = Math.min(MESSAGES_PER_REQUEST, count - start)
    const messages = Array.from({ length: size }, (_, index) => message(start + index))
    await producer.send({ topic: WORK.input, acks: -1, messages })
  }
  await producer.disconnect()
}

function message(index: number) {
  const session = `session-${(index * 7_919) % SESSIONS}`
  const payload = payloadOf(index)
  const digest = new Bun.CryptoHasher("sha256").update(payload).digest("hex")
  const event = {
    event_id: `event-${index}`,
    session_id: session,
    timestamp: "2026-11-03T09:14:02Z",
    payload,
    sha256: isWrong(index) ? digest.replace(/^./, (first) => (first === "0" ? "1" : "0")) : digest,
    tags: ["poi", "bench"],
    meta: { attacker_ip: "203.0.113.9", is_tor: false, prior_poi_count: index % 5 },
  }
  return { key: session, value: JSON.stringify(event), partition: index % WORK.partitions }
}

export function isWrong(index: number): boolean {
  return index % Math.round(1 / WORK.wrong) === 7
}

function payloadOf(index: number): string {
  let text = ""
  for (let i = index; text.length < 700; i = (i * 31 + 17) % 1_000_003) {
    text += `${WORDS[i % WORDS.length]} `
  }
  return text
}
