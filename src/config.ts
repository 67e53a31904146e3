import { availableParallelism, homedir } from "node:os"
import { join, resolve } from "node:path"
import { VariableReader } from "./config/variables.ts"

/** Each takes memory for models of its own. */
const ANALYSIS_THREADS_DEFAULT_MAX = 8

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
  /** That analyse evidence beside the thread that reads and publishes; 0 = it does all. */
  readonly analysisThreads: number
  /** In which the second tier may answer, from the arrival of the request. */
  readonly predictDeadlineMs: number
  readonly drainTimeoutMs: number
  readonly sandbox: SandboxConfig
  readonly kafka: KafkaConfig | undefined
  readonly minio: MinioConfig | undefined
  readonly rules: RulesConfig
  readonly gatekeeper: GatekeeperConfig | undefined
  readonly alerts: AlertsConfig
}

export interface RulesConfig {
  /** Confidences, 0..1. */
  readonly thresholds: { readonly autoApply: number; readonly review: number }
  readonly isAutoApplyOn: boolean
  readonly appliedPerHourMax: number
  readonly timeToLiveMs: number
  readonly neverBlockFile: string | undefined
  /** Labelled files whose benign rows no rule may match. */
  readonly benignDirectory: string | undefined
}

export interface GatekeeperConfig {
  readonly url: string
  readonly token: string
}

export interface AlertsConfig {
  readonly webhook: WebhookConfig | undefined
  /** Score, 0..1. */
  readonly threshold: number
  readonly updateMs: number
  readonly quietMs: number
}

/** Both are secrets: whoever knows the URL of a webhook can often post to it. */
export interface WebhookConfig {
  readonly url: string
  /** Each signs; the receiver needs to know one of them. */
  readonly secrets: readonly string[]
}

const SANDBOX_MODES = ["auto", "docker", "bubblewrap", "none"] as const

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
  readonly region: string
  readonly accessKey: string
  readonly secretKey: string
}

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
    analysisThreads: readAnalysisThreads(read),
    predictDeadlineMs: read.number("SENTINEL_PREDICT_DEADLINE_MS", 1, 10_000),
    drainTimeoutMs: read.number("SENTINEL_DRAIN_TIMEOUT_S", 0.1, 600) * 1_000,
    sandbox: readSandbox(read),
    kafka: readKafka(read),
    minio: readMinio(read),
    rules: readRules(read),
    gatekeeper: readGatekeeper(read),
    alerts: readAlerts(read),
  }
  read.throwIfAny()
  return Object.freeze(config)
}

function readSandbox(read: VariableReader): SandboxConfig {
  const dockerHost = read.optional("DOCKER_HOST")
  if (dockerHost !== undefined && !/^(unix:\/\/\/|tcp:\/\/[A-Za-z0-9])/.test(dockerHost)) {
    read.problem("DOCKER_HOST", "expected unix://PATH or tcp://HOST:PORT")
  }
  return {
    mode: read.choice("SENTINEL_SANDBOX", SANDBOX_MODES),
    timeoutMs: read.number("SENTINEL_SANDBOX_TIMEOUT_S", 1, 3_600) * 1_000,
    cacheDirectory: resolve(read.optional("SENTINEL_CACHE_DIR") ?? defaultCacheDirectory()),
    dockerHost,
  }
}

function readAnalysisThreads(read: VariableReader): number {
  if (read.optional("SENTINEL_ANALYSIS_THREADS") === undefined) {
    // a core for what stays in this thread, and one for the broker or whatever else runs here
    return Math.min(ANALYSIS_THREADS_DEFAULT_MAX, Math.max(0, availableParallelism() - 2))
  }
  return read.integer("SENTINEL_ANALYSIS_THREADS", 0, 64)
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
  const region = read.text("MINIO_REGION")
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
    region,
    accessKey: accessKey ?? "",
    secretKey: secretKey ?? "",
  }
}

function readRules(read: VariableReader): RulesConfig {
  const autoApply = read.number("SENTINEL_AUTO_APPLY_THRESHOLD", 0, 1)
  const review = read.number("SENTINEL_REVIEW_THRESHOLD", 0, 1)
  if (review > autoApply) {
    read.problem("SENTINEL_REVIEW_THRESHOLD", "must not exceed SENTINEL_AUTO_APPLY_THRESHOLD")
  }
  const neverBlockFile = read.optional("SENTINEL_NEVER_BLOCK_FILE")
  const benignDirectory = read.optional("SENTINEL_BENIGN_DIR")
  return {
    thresholds: { autoApply, review },
    isAutoApplyOn: read.choice("SENTINEL_AUTO_APPLY", ["on", "off"]) === "on",
    appliedPerHourMax: read.integer("SENTINEL_RULES_PER_HOUR", 0, 10_000),
    timeToLiveMs: read.number("SENTINEL_RULE_TTL_DAYS", 0.001, 3_650) * 86_400_000,
    neverBlockFile: neverBlockFile && resolve(neverBlockFile),
    benignDirectory: benignDirectory && resolve(benignDirectory),
  }
}

function readGatekeeper(read: VariableReader): GatekeeperConfig | undefined {
  const url = read.optional("GATEKEEPER_API_URL")
  const token = read.token("GATEKEEPER_API_TOKEN")
  if (url === undefined) return undefined
  if (!/^https?:\/\/[A-Za-z0-9.[\]:_-]{1,255}(\/[\w./-]{0,255})?$/.test(url)) {
    read.problem("GATEKEEPER_API_URL", "expected http(s)://HOST[:PORT][/PATH]")
  }
  if (token === undefined) read.problem("GATEKEEPER_API_TOKEN", "needed with GATEKEEPER_API_URL")
  return { url, token: token ?? "" }
}

function readAlerts(read: VariableReader): AlertsConfig {
  return {
    webhook: readWebhook(read),
    threshold: read.number("SENTINEL_ALERT_THRESHOLD", 0, 1),
    updateMs: read.number("SENTINEL_ALERT_UPDATE_MINUTES", 0.01, 1_440) * 60_000,
    quietMs: read.number("SENTINEL_ALERT_QUIET_MINUTES", 0.01, 1_440) * 60_000,
  }
}

function readWebhook(read: VariableReader): WebhookConfig | undefined {
  const url = read.optional("SENTINEL_ALERT_WEBHOOK_URL")
  const secrets = (read.token("SENTINEL_ALERT_WEBHOOK_SECRET") ?? "").split(",")
  if (url === undefined) return undefined
  if (!isSafeWebhook(url)) {
    const expected = "expected https://HOST[:PORT]/PATH without user and password; http on loopback"
    read.problem("SENTINEL_ALERT_WEBHOOK_URL", expected)
  }
  if (secrets.some((secret) => !isStrongSecret(secret))) {
    const expected = "needed with the URL: whsec_ and base64 of 16 bytes, or 16 characters, or more"
    read.problem("SENTINEL_ALERT_WEBHOOK_SECRET", expected)
  }
  return { url, secrets }
}

/** Alerts name attackers and rules: they do not travel in the clear. */
function isSafeWebhook(text: string): boolean {
  const url = URL.parse(text)
  if (url === null || text.length > 2_048 || url.username !== "" || url.password !== "")
    return false
  const isLoopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(url.hostname)
  return url.protocol === "https:" || (url.protocol === "http:" && isLoopback)
}

function isStrongSecret(secret: string): boolean {
  const encoded = /^whsec_([A-Za-z0-9+/]{22,}={0,2})$/.exec(secret)?.[1]
  return encoded !== undefined || (secret.length >= 16 && !secret.startsWith("whsec_"))
}

function parseHostPort(text: string): { host: string; port: number } | undefined {
  const match = /^(\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9._-]{1,253}):(\d{1,5})$/.exec(text)
  const port = Number(match?.[2])
  if (match?.[1] === undefined || port < 1 || port > 65_535) return undefined
  return { host: match[1].replace(/^\[|\]$/g, ""), port }
}
