import { MalformedError } from "../errors.ts"
import type { Enrichment } from "../ports.ts"
import { REDRIVE_HEADER, type SourceRecord, type StoredDeadLetter } from "../stream/types.ts"
import { submitToInbox } from "./inbox-submission.ts"
import { asKafkaError, idempotentProducer, type Kafka, type Producer } from "./kafka-client.ts"

/** Puts records back where they came from, unchanged. */
export interface RedriveTarget {
  /** Resolves once the record is durable there. @throws MalformedError, UnavailableError */
  send(letter: Pick<StoredDeadLetter, "id" | "record">): Promise<void>
  close(): Promise<void>
}

/**
 * Back to the topic and partition that the record came from, under its key and headers, plus
 * `sentinel-redrive: <id>`; the message's own time is that of the redrive. At least once.
 */
export function kafkaRedrive(kafka: Kafka): RedriveTarget {
  let connected: Promise<Producer> | undefined
  const connect = async () => {
    const producer = idempotentProducer(kafka)
    await producer.connect()
    return producer
  }
  return {
    async send({ id, record }) {
      const { topic, partition, key } = record
      const headers = { ...record.headers, [REDRIVE_HEADER]: id }
      const message = { partition, key, value: Buffer.from(record.value), headers }
      try {
        connected ??= connect()
        const producer = await connected
        await producer.send({ topic, acks: -1, messages: [message] })
      } catch (error) {
        await disconnect(connected)
        connected = undefined
        throw asKafkaError(error)
      }
    },
    async close() {
      await disconnect(connected)
      connected = undefined
    },
  }
}

async function disconnect(connecting: Promise<Producer> | undefined): Promise<void> {
  await connecting?.then((producer) => producer.disconnect()).catch(() => undefined)
}

/** Back into the inbox as a file of its own, with the enrichment it came with. Idempotent. */
export function inboxRedrive(inbox: string): RedriveTarget {
  return {
    async send({ record }) {
      await submitToInbox(inbox, record.value, enrichmentOf(record))
    },
    close: () => Promise.resolve(),
  }
}

function enrichmentOf({ headers }: SourceRecord): Enrichment | undefined {
  if (headers.enrichment === undefined) return undefined
  try {
    return JSON.parse(headers.enrichment) as Enrichment
  } catch {
    throw new MalformedError("enrichment", "JSON")
  }
}
