import { homedir } from "node:os"
import { join, resolve } from "node:path"
import { ConfigInvalidError } from "./errors.ts"

/** Everything an operator can set, read once from the environment (README, "Configuration"). */
export interface Config {
  readonly host: string
  readonly port: number
  /** Processes that serve the port; 1 = the one that does everything else as well. */
  readonly apiWorkers: number
  /** The port of `process`, which serves /health and /metrics only; 0 = none. */
  readonly metricsPort: number
  readonly dataDir: string
  readonly apiToken: string | undefined
  readonly thresholds: { readonly simulate: number; readonly tag: number }
  readonly weights: { readonly payload: number; readonly behavior: number }
  /** Share of ordinary sessions that the isolation forest is asked to call anomalous. */
  readonly contamination: number
  readonly retention: { readonly days: number; readonly bytesMax: number }
  readonly cache: { readonly entriesMax: number; readonly ttlMs: number }
  readonly drainTimeoutMs: number
  readonly sandbox: SandboxConfig
  readonly kafka: KafkaConfig | undefined
  readonly minio: MinioConfig | undefined
}

export const SANDBOX_MODES = ["auto", "docker", "bubblewrap", "none"] as const

export interface SandboxConfig {
  /** auto = the best that the machine has. */
  readonly mode: (typeof SANDBOX_MODES)[number]
  /** Upper bound of one run. */
  readonly timeoutMs: number
  /** Where built images are kept, outside of any data directory. */
  readonly cacheDirectory: string
  /** undefined = the usual socket. */
  readonly dockerHost: string | undefined
}

export interface KafkaConfig {
  readonly brokers: readonly string[]
  readonly groupId: string
}

export interface MinioConfig {
  readonly host: string
  readonly port: number
  readonly secure: boolean
  readonly accessKey: string
  readonly secretKey: string
}

interface Variable {
  readonly name: string
  /** As text, the way a user would write it; empty = unset. */
  readonly default: string
  readonly meaning: string
  readonly secret?: boolean
}

/** The one table of variables: the README's is compared with it by a test. */
export const VARIABLES = [
  { name: "SENTINEL_HOST", default: "127.0.0.1", meaning: "address the API binds to" },
  { name: "SENTINEL_PORT", default: "8003", meaning: "port of the API; 0 = any free one" },
  {
    name: "SENTINEL_API_WORKERS",
    default: "1",
    meaning: "processes that share the port, one for each core; 1 = no further process",
  },
  {
    name: "SENTINEL_METRICS_PORT",
    default: "8004",
    meaning: "port of `process` (/health and /metrics); 0 = none",
  },
  {
    name: "SENTINEL_DATA_DIR",
    default: "./data",
    meaning: "inbox, store, dead letters; one owner at a time",
  },
  {
    name: "SENTINEL_API_TOKEN",
    default: "",
    meaning: "bearer token of the endpoints that change something; needed beyond loopback",
    secret: true,
  },
  {
    name: "SENTINEL_SIMULATE_THRESHOLD",
    default: "0.75",
    meaning: "final score (0..1) from which the verdict is simulate",
  },
  {
    name: "SENTINEL_TAG_THRESHOLD",
    default: "0.50",
    meaning: "final score (0..1) from which the verdict is tag",
  },
  {
    name: "SENTINEL_PAYLOAD_WEIGHT",
    default: "0.6",
    meaning: "weight (0..1) of the payload score; behaviour has the rest",
  },
  {
    name: "SENTINEL_CONTAMINATION",
    default: "0.02",
    meaning: "share (0.001..0.5) of ordinary sessions the forest may call anomalous",
  },
  { name: "SENTINEL_RETENTION_DAYS", default: "30", meaning: "days a verdict is kept" },
  {
    name: "SENTINEL_STORE_MAX_MB",
    default: "2048",
    meaning: "size of the store from which the oldest verdicts go",
  },
  { name: "SENTINEL_CACHE_ENTRIES", default: "10000", meaning: "predictions kept in memory" },
  { name: "SENTINEL_CACHE_TTL_S", default: "3600", meaning: "seconds a prediction is kept" },
  {
    name: "SENTINEL_DRAIN_TIMEOUT_S",
    default: "20",
    meaning: "seconds that SIGTERM leaves for the records in flight",
  },
  {
    name: "SENTINEL_SANDBOX",
    default: "auto",
    meaning: "what payloads are tried in: auto, docker, bubblewrap or none",
  },
  {
    name: "SENTINEL_SANDBOX_TIMEOUT_S",
    default: "300",
    meaning: "seconds after which any run is killed; each class has a lower bound of its own",
  },
  {
    name: "SENTINEL_CACHE_DIR",
    default: "",
    meaning: "where built sandbox images are kept; unset = `~/.cache/sentinel`",
  },
  {
    name: "DOCKER_HOST",
    default: "",
    meaning: "unix://PATH or tcp://HOST:PORT; unset = the socket of this machine",
  },
  {
    name: "KAFKA_BOOTSTRAP_SERVERS",
    default: "",
    meaning: "host:port,...; unset = no Kafka, the inbox alone",
  },
  {
    name: "KAFKA_GROUP_ID",
    default: "sentinel-evidence-processor",
    meaning: "consumer group",
  },
  {
    name: "MINIO_ENDPOINT",
    default: "",
    meaning: "host:port; unset = objects are read from the folder `objects` in the data directory",
  },
  { name: "MINIO_SECURE", default: "false", meaning: "true = TLS" },
  { name: "MINIO_ACCESS_KEY", default: "", meaning: "MinIO user", secret: true },
  { name: "MINIO_SECRET_KEY", default: "", meaning: "MinIO password", secret: true },
] as const satisfies readonly Variable[]

type VariableName = (typeof VARIABLES)[number]["name"]

/**
 * Reads the whole configuration.
 * @throws ConfigInvalidError that lists every bad variable by name, never by value
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const read = new VariableReader(env)
  const simulate = read.number("SENTINEL_SIMULATE_THRESHOLD", 0, 1)
  const tag = read.number("SENTINEL_TAG_THRESHOLD", 0, 1)
  if (tag > simulate) {
    read.problem("SENTINEL_TAG_THRESHOLD", "must not exceed SENTINEL_SIMULATE_THRESHOLD")
  }
  const payloadWeight = read.number("SENTINEL_PAYLOAD_WEIGHT", 0, 1)
  const config: Config = {
    host: read.text("SENTINEL_HOST"),
    port: read.integer("SENTINEL_PORT", 0, 65_535),
    apiWorkers: read.integer("SENTINEL_API_WORKERS", 1, 64),
    metricsPort: read.integer("SENTINEL_METRICS_PORT", 0, 65_535),
    dataDir: resolve(read.text("SENTINEL_DATA_DIR")),
    apiToken: read.token("SENTINEL_API_TOKEN"),
    thresholds: { simulate, tag },
    weights: { payload: payloadWeight, behavior: 1 - payloadWeight },
    contamination: read.number("SENTINEL_CONTAMINATION", 0.001, 0.5),
    retention: {
      days: read.number("SENTINEL_RETENTION_DAYS", 0.001, 36_500),
      bytesMax: read.integer("SENTINEL_STORE_MAX_MB", 1, 1_048_576) * 1_048_576,
    },
    cache: {
      entriesMax: read.integer("SENTINEL_CACHE_ENTRIES", 1, 100_000),
      ttlMs: read.number("SENTINEL_CACHE_TTL_S", 1, 86_400) * 1_000,
    },
    drainTimeoutMs: read.number("SENTINEL_DRAIN_TIMEOUT_S", 0.1, 600) * 1_000,
    sandbox: readSandbox(read),
    kafka: readKafka(read),
    minio: readMinio(read),
  }
  read.throwIfAny()
  return Object.freeze(config)
}

function readSandbox(read: VariableReader): SandboxConfig {
  const given = read.text("SENTINEL_SANDBOX")
  const mode = SANDBOX_MODES.find((known) => known === given)
  if (mode === undefined) {
    read.problem("SENTINEL_SANDBOX", `expected one of ${SANDBOX_MODES.join(", ")}`)
  }
  const dockerHost = read.optional("DOCKER_HOST")
  if (dockerHost !== undefined && !/^(unix:\/\/\/|tcp:\/\/[A-Za-z0-9])/.test(dockerHost)) {
    read.problem("DOCKER_HOST", "expected unix://PATH or tcp://HOST:PORT")
  }
  return {
    mode: mode ?? "none",
    timeoutMs: read.number("SENTINEL_SANDBOX_TIMEOUT_S", 1, 3_600) * 1_000,
    cacheDirectory: resolve(read.optional("SENTINEL_CACHE_DIR") ?? defaultCacheDirectory()),
    dockerHost,
  }
}

function defaultCacheDirectory(): string {
  return join(homedir(), ".cache/sentinel")
}

function readKafka(read: VariableReader): KafkaConfig | undefined {
  const servers = read.optional("KAFKA_BOOTSTRAP_SERVERS")
  const groupId = read.text("KAFKA_GROUP_ID")
  if (servers === undefined) return undefined
  const brokers = servers.split(",").map((broker) => broker.trim())
  for (const broker of brokers) {
    if (parseHostPort(broker) === undefined) {
      read.problem("KAFKA_BOOTSTRAP_SERVERS", "expected host:port,host:port")
    }
  }
  return { brokers, groupId }
}

function readMinio(read: VariableReader): MinioConfig | undefined {
  const endpoint = read.optional("MINIO_ENDPOINT")
  const secure = read.boolean("MINIO_SECURE")
  const accessKey = read.optional("MINIO_ACCESS_KEY")
  const secretKey = read.optional("MINIO_SECRET_KEY")
  if (endpoint === undefined) return undefined
  const address = parseHostPort(endpoint)
  if (address === undefined) read.problem("MINIO_ENDPOINT", "expected host:port, without a scheme")
  if (accessKey === undefined) read.problem("MINIO_ACCESS_KEY", "needed with MINIO_ENDPOINT")
  if (secretKey === undefined) read.problem("MINIO_SECRET_KEY", "needed with MINIO_ENDPOINT")
  return {
    host: address?.host ?? "",
    port: address?.port ?? 0,
    secure,
    accessKey: accessKey ?? "",
    secretKey: secretKey ?? "",
  }
}

function parseHostPort(text: string): { host: string; port: number } | undefined {
  const match = /^(\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9._-]{1,253}):(\d{1,5})$/.exec(text)
  const port = Number(match?.[2])
  if (match?.[1] === undefined || port < 1 || port > 65_535) return undefined
  return { host: match[1].replace(/^\[|\]$/g, ""), port }
}

/** Collects problems instead of stopping at the first. */
class VariableReader {
  readonly #env: Readonly<Record<string, string | undefined>>
  readonly #problems: string[] = []

  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.#env = env
  }

  optional(name: VariableName): string | undefined {
    const text = this.text(name)
    return text === "" ? undefined : text
  }

  text(name: VariableName): string {
    const given = this.#env[name]?.trim()
    if (given !== undefined && given !== "") return given
    return VARIABLES.find((variable) => variable.name === name)?.default ?? ""
  }

  /** What an Authorization header can carry: another one would lock everybody out. */
  token(name: VariableName): string | undefined {
    const token = this.optional(name)
    if (token !== undefined && !/^[\x21-\x7e]{1,512}$/.test(token)) {
      this.problem(name, "expected up to 512 ASCII characters without spaces")
    }
    return token
  }

  number(name: VariableName, min: number, max: number): number {
    const value = Number(this.text(name))
    if (!(value >= min && value <= max)) {
      this.problem(name, `expected a number from ${min} to ${max}`)
    }
    return value
  }

  integer(name: VariableName, min: number, max: number): number {
    const value = Number(this.text(name))
    if (!Number.isInteger(value) || value < min || value > max) {
      this.problem(name, `expected a whole number from ${min} to ${max}`)
    }
    return value
  }

  boolean(name: VariableName): boolean {
    const text = this.text(name).toLowerCase()
    if (text !== "true" && text !== "false") this.problem(name, "expected true or false")
    return text === "true"
  }

  problem(name: VariableName, what: string): void {
    this.#problems.push(`${name}: ${what}`)
  }

  throwIfAny(): void {
    if (this.#problems.length > 0) throw new ConfigInvalidError(this.#problems)
  }
}
