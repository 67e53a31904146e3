import { ConfigInvalidError } from "../errors.ts"

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
  {
    name: "SENTINEL_PREDICT_DEADLINE_MS",
    default: "10",
    meaning: "milliseconds (1..10000) from a request's arrival in which a second tier may answer",
  },
  { name: "SENTINEL_CACHE_ENTRIES", default: "10000", meaning: "predictions kept in memory" },
  { name: "SENTINEL_CACHE_TTL_S", default: "3600", meaning: "seconds a prediction is kept" },
  {
    name: "SENTINEL_ANALYSIS_THREADS",
    default: "",
    meaning: "threads (0..64) that analyse under load; unset = two less than cores, 8 at most",
  },
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
  { name: "MINIO_REGION", default: "us-east-1", meaning: "region of the object store" },
  { name: "MINIO_ACCESS_KEY", default: "", meaning: "MinIO user", secret: true },
  { name: "MINIO_SECRET_KEY", default: "", meaning: "MinIO password", secret: true },
  {
    name: "GATEKEEPER_API_URL",
    default: "",
    meaning: "where rules are enforced; unset = they are kept and nobody enforces them",
  },
  {
    name: "GATEKEEPER_API_TOKEN",
    default: "",
    meaning: "bearer token for Gatekeeper",
    secret: true,
  },
  {
    name: "SENTINEL_AUTO_APPLY",
    default: "on",
    meaning: "off = observe only: a person decides every rule",
  },
  {
    name: "SENTINEL_AUTO_APPLY_THRESHOLD",
    default: "0.90",
    meaning: "confidence (0..1) from which a rule is applied by itself",
  },
  {
    name: "SENTINEL_REVIEW_THRESHOLD",
    default: "0.70",
    meaning: "confidence (0..1) from which a person is asked; below, a rule is only logged",
  },
  {
    name: "SENTINEL_RULES_PER_HOUR",
    default: "20",
    meaning: "rules applied by themselves within an hour; beyond it a person is asked",
  },
  { name: "SENTINEL_RULE_TTL_DAYS", default: "30", meaning: "days until a rule expires" },
  {
    name: "SENTINEL_NEVER_BLOCK_FILE",
    default: "",
    meaning: "lines `path PREFIX`, `param NAME` or `address CIDR` that no rule may touch",
  },
  {
    name: "SENTINEL_BENIGN_DIR",
    default: "",
    meaning:
      "labelled `*.jsonl(.gz)` files whose benign rows no rule may match, beside the shipped",
  },
  {
    name: "SENTINEL_ALERT_WEBHOOK_URL",
    default: "",
    meaning: "where alerts are posted: https, or http on this machine; unset = nowhere",
    secret: true,
  },
  {
    name: "SENTINEL_ALERT_WEBHOOK_SECRET",
    default: "",
    meaning: "signs them: `whsec_` and base64, or other text; several, separated by commas",
    secret: true,
  },
  {
    name: "SENTINEL_ALERT_THRESHOLD",
    default: "0.75",
    meaning: "score (0..1) of a verdict or an exploit from which it is worth an alert",
  },
  {
    name: "SENTINEL_ALERT_UPDATE_MINUTES",
    default: "10",
    meaning: "minutes between two updates of one alert, at least",
  },
  {
    name: "SENTINEL_ALERT_QUIET_MINUTES",
    default: "60",
    meaning: "minutes of quiet after which an alert is closed",
  },
] as const satisfies readonly Variable[]

export type VariableName = (typeof VARIABLES)[number]["name"]

/** Collects problems instead of stopping at the first. */
export class VariableReader {
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

  /** The first of the words stands in for what is none of them. */
  choice<const Word extends string>(name: VariableName, words: readonly [Word, ...Word[]]): Word {
    const text = this.text(name).toLowerCase()
    const word = words.find((known) => known === text)
    if (word === undefined) this.problem(name, `expected one of ${words.join(", ")}`)
    return word ?? words[0]
  }

  problem(name: VariableName, what: string): void {
    this.#problems.push(`${name}: ${what}`)
  }

  throwIfAny(): void {
    if (this.#problems.length > 0) throw new ConfigInvalidError(this.#problems)
  }
}
