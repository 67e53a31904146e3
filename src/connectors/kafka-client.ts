import {
  type Consumer,
  type EachBatchPayload,
  type IHeaders,
  Kafka,
  type KafkaMessage,
  logLevel,
  Partitioners,
  type Producer,
} from "kafkajs"
import { SentinelError, TooLargeError, UnavailableError } from "../errors.ts"

/** The one place that imports kafkajs: connectors know Kafka through this module. */
export type { Consumer, EachBatchPayload, IHeaders, Kafka, KafkaMessage, Producer }

export interface KafkaLogEntry {
  readonly level: "error" | "warn" | "info" | "debug"
  readonly message: string
  /** e.g. `Consumer`, `Connection`. */
  readonly component: string
}

export interface KafkaClientOptions {
  /** `host:port` each. */
  readonly brokers: readonly string[]
  readonly clientId?: string
  /** Hears warnings and errors of the client; without it they are dropped, never printed. */
  readonly log?: (entry: KafkaLogEntry) => void
}

/** Requests are repeated for about 10 s; then the caller decides (the engine retries or waits). */
const RETRY = { initialRetryTime: 100, maxRetryTime: 3_000, retries: 8 } as const

/** The client's advice against bounded retries; KafkaTopic replaces the producer after them instead. */
const LIMITED_RETRIES = "Limiting retries for the idempotent producer may invalidate EoS guarantees"

/** A client of one cluster; connects lazily, opens nothing by itself. */
export function kafkaClient(options: KafkaClientOptions): Kafka {
  return new Kafka({
    clientId: options.clientId ?? "sentinel",
    brokers: [...options.brokers],
    connectionTimeout: 3_000,
    requestTimeout: 20_000,
    retry: RETRY,
    logLevel: logLevel.WARN,
    logCreator:
      () =>
      ({ level, namespace, log: { message } }) => {
        if (message === LIMITED_RETRIES) return
        options.log?.({ level: levelName(level), message, component: namespace })
      },
  })
}

/**
 * A producer whose repeated requests the broker recognises: without idempotence kafkajs doubles
 * messages right after a topic was created.
 */
export function idempotentProducer(kafka: Kafka): Producer {
  return kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    createPartitioner: Partitioners.DefaultPartitioner,
    retry: RETRY,
  })
}

export interface TopicSpec {
  readonly topic: string
  /** The largest record batch the topic takes; the broker's own limit when absent. */
  readonly messageBytesMax?: number
}

/**
 * Creates the topics that are missing, with the cluster's default partitions and replicas.
 * @throws UnavailableError when no broker answers
 */
export async function ensureTopics(kafka: Kafka, specs: readonly TopicSpec[]): Promise<void> {
  const admin = kafka.admin()
  try {
    await admin.connect()
    const existing = new Set(await admin.listTopics())
    const missing = specs.filter(({ topic }) => !existing.has(topic))
    if (missing.length === 0) return
    // createTopics answers false, not an error, when somebody else was faster
    await admin.createTopics({ waitForLeaders: true, topics: missing.map(topicConfig) })
  } catch (error) {
    throw asKafkaError(error)
  } finally {
    await admin.disconnect().catch(() => undefined)
  }
}

function topicConfig({ topic, messageBytesMax }: TopicSpec) {
  if (messageBytesMax === undefined) return { topic }
  return { topic, configEntries: [{ name: "max.message.bytes", value: String(messageBytesMax) }] }
}

/** Waits for the client to close, but not for a broker that no longer answers. */
export async function closeWithin(timeoutMs: number, closing: Promise<unknown>): Promise<void> {
  const late = Promise.withResolvers<void>()
  const timer = setTimeout(late.resolve, timeoutMs)
  await Promise.race([closing.catch(() => undefined), late.promise])
  clearTimeout(timer)
}

/** Any failure of the client in the project's words; never the client's own text. */
export function asKafkaError(error: unknown): SentinelError {
  if (error instanceof SentinelError) return error
  if (causes(error).some((cause) => protocolType(cause) === "MESSAGE_TOO_LARGE")) {
    return new TooLargeError("message", MESSAGE_BYTES_MAX)
  }
  return new UnavailableError("kafka", error)
}

/** Kafka's default limit of a record batch is 1,048,588 bytes; this leaves room for its framing. */
export const MESSAGE_BYTES_MAX = 1_000_000

/** kafkajs nests the first error inside "retries exceeded" ones; the chain is short. */
function causes(error: unknown): readonly unknown[] {
  const chain: unknown[] = []
  for (let next = error; next instanceof Error && chain.length < 8; next = next.cause) {
    chain.push(next)
  }
  return chain
}

function protocolType(error: unknown): unknown {
  return error instanceof Error && "type" in error ? error.type : undefined
}

function levelName(level: logLevel): KafkaLogEntry["level"] {
  if (level <= logLevel.ERROR) return "error"
  if (level <= logLevel.WARN) return "warn"
  return level <= logLevel.INFO ? "info" : "debug"
}
