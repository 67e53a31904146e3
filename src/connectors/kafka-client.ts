import {
  type Admin,
  ConfigResourceTypes,
  type Consumer,
  type EachBatchPayload,
  type ICustomPartitioner,
  type IHeaders,
  Kafka,
  type KafkaMessage,
  logLevel,
  Partitioners,
  type Producer,
  type Transaction,
} from "kafkajs"
import { withDeadline } from "../clock.ts"
import { SentinelError, TooLargeError, UnavailableError } from "../errors.ts"
import { suppressRepeats } from "./suppress-repeats.ts"

/** The one place that imports kafkajs: connectors know Kafka through this module. */
export type {
  Admin,
  Consumer,
  EachBatchPayload,
  IHeaders,
  Kafka,
  KafkaMessage,
  Producer,
  Transaction,
}

export interface KafkaLogEntry {
  readonly level: "error" | "warn" | "info" | "debug"
  readonly message: string
  /** e.g. `Consumer`, `Connection`. */
  readonly component: string
  /** What the client or the broker says is the reason, without control characters. */
  readonly reason?: string
  /** How often the same was said since the last line. */
  readonly repeated?: number
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

/** The client's advice against bounded retries; KafkaPublisher replaces the producer after them instead. */
const LIMITED_RETRIES = "Limiting retries for the idempotent producer may invalidate EoS guarantees"

/** Routine after every transaction: the next one begins while the broker still ends the last. */
const ENDING = "another concurrent operation on the same transaction was ongoing"

const REASON_CHARS_MAX = 200

/** A client of one cluster; connects lazily, opens nothing by itself. */
export function kafkaClient(options: KafkaClientOptions): Kafka {
  const { log = () => undefined } = options
  // an outage is a line of the client for each try of each connection
  const tell = suppressRepeats(log)
  return new Kafka({
    clientId: options.clientId ?? "sentinel",
    brokers: [...options.brokers],
    connectionTimeout: 3_000,
    requestTimeout: 20_000,
    retry: RETRY,
    logLevel: logLevel.WARN,
    logCreator:
      () =>
      ({ level, namespace, log: { message, error } }) => {
        if (message === LIMITED_RETRIES || `${message}${error}`.includes(ENDING)) return
        tell({ level: levelName(level), message, component: namespace, ...reasonOf(error) })
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

/** How long a transaction may stay open before the broker aborts it; readers wait as long. */
const TRANSACTION_TIMEOUT_MS = 30_000

/**
 * A producer of transactions. Its first transaction fences every earlier producer with this id and
 * ends what that one left open.
 */
export function transactionalProducer(kafka: Kafka, transactionalId: string): Producer {
  return kafka.producer({
    transactionalId,
    transactionTimeout: TRANSACTION_TIMEOUT_MS,
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    createPartitioner: repeatablePartitioner,
    retry: RETRY,
  })
}

/**
 * A repeated request has the sequence numbers of the first try, so each message must get the same
 * partition again; the client's own partitioner deals messages without a key out in turn.
 */
const repeatablePartitioner: ICustomPartitioner = () => {
  const byKey = Partitioners.DefaultPartitioner()
  return ({ message, ...topic }) =>
    byKey({ ...topic, message: message.key ? message : { ...message, key: message.value } })
}

/** The work of one connection; @throws UnavailableError */
export async function withAdmin<T>(kafka: Kafka, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka.admin()
  try {
    await admin.connect()
    return await work(admin)
  } catch (error) {
    throw asKafkaError(error)
  } finally {
    await admin.disconnect().catch(() => undefined)
  }
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
  await withAdmin(kafka, async (admin) => {
    const existing = new Set(await admin.listTopics())
    const missing = specs.filter(({ topic }) => !existing.has(topic))
    if (missing.length === 0) return
    // createTopics answers false, not an error, when somebody else was faster
    await admin.createTopics({ waitForLeaders: false, topics: missing.map(topicConfig) })
    await untilKnown(
      admin,
      missing.map(({ topic }) => topic),
    )
  })
}

const KNOWN_ATTEMPTS_MAX = 100
const KNOWN_POLL_MS = 100

/** The client's own waiting gives up on a busy broker that has not heard of the topic it created. */
async function untilKnown(admin: Admin, topics: string[]): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await admin.fetchTopicMetadata({ topics })
      return
    } catch (error) {
      if (attempt >= KNOWN_ATTEMPTS_MAX) throw error
      await Bun.sleep(KNOWN_POLL_MS)
    }
  }
}

const LIMIT_NAME = "max.message.bytes"

function topicConfig({ topic, messageBytesMax }: TopicSpec) {
  if (messageBytesMax === undefined) return { topic }
  return { topic, configEntries: [{ name: LIMIT_NAME, value: String(messageBytesMax) }] }
}

/**
 * The largest record batch that each topic takes now; those left out that the broker does not tell.
 * @throws UnavailableError
 */
export async function messageBytesLimits(
  kafka: Kafka,
  topics: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const configNames = [LIMIT_NAME]
  const resources = topics.map((name) => ({ type: ConfigResourceTypes.TOPIC, name, configNames }))
  const described = await withAdmin(kafka, (admin) =>
    admin.describeConfigs({ includeSynonyms: false, resources }),
  )
  const limits = described.resources.flatMap(({ resourceName, configEntries }) =>
    configEntries.map(({ configValue }) => [resourceName, Number(configValue)] as const),
  )
  return new Map(limits.filter(([, bytes]) => bytes > 0))
}

/** Waits for the client to close, but not for a broker that no longer answers. */
export async function closeWithin(timeoutMs: number, closing: Promise<unknown>): Promise<void> {
  const closed = closing.catch(() => undefined)
  await withDeadline(timeoutMs, closed, () => undefined)
}

/** Any failure of the client in the project's words; never the client's own text. */
export function asKafkaError(error: unknown): SentinelError {
  if (error instanceof SentinelError) return error
  if (causes(error).some((cause) => protocolType(cause) === "MESSAGE_TOO_LARGE")) {
    return new TooLargeError("message", MESSAGE_BYTES_MAX)
  }
  return new UnavailableError("kafka", error)
}

/** The broker is still writing the end of the transaction before this one. */
export function isPreviousTransactionEnding(error: unknown): boolean {
  return causes(error).some((cause) => protocolType(cause) === "CONCURRENT_TRANSACTIONS")
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

/** The client's own text for the message it goes with; of the broker's records it holds nothing. */
function reasonOf(error: unknown): { reason?: string } {
  if (typeof error !== "string" || error === "") return {}
  return { reason: error.replace(/\p{C}/gu, " ").slice(0, REASON_CHARS_MAX) }
}

function levelName(level: logLevel): KafkaLogEntry["level"] {
  if (level <= logLevel.ERROR) return "error"
  if (level <= logLevel.WARN) return "warn"
  return level <= logLevel.INFO ? "info" : "debug"
}
