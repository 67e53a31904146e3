import { access, mkdtemp, readFile, rmdir } from "node:fs/promises"
import { arch, platform } from "node:os"
import { dirname, join } from "node:path"
import { checkBinding } from "../api/guard.ts"
import { openModels } from "../compose/models.ts"
import { readNeverBlock } from "../compose/rules/open-rule-service.ts"
import { type UnknownVariable, unknownVariables } from "../config/unknown-variables.ts"
import { type Config, readConfig } from "../config.ts"
import { idempotentProducer, kafkaClient } from "../connectors/kafka-client.ts"
import { publicError } from "../errors.ts"
import { gatekeeperClient } from "../services/gatekeeper-client.ts"
import { minioObjects } from "../services/minio-objects.ts"
import { findServer } from "../store/data-directory.ts"
import { checkAuditLog, checkSandbox } from "./doctor-sandbox.ts"
import type { Finding } from "./finding.ts"
import { REPOSITORY } from "./repository.ts"
import { within } from "./within.ts"

type Environment = Readonly<Record<string, string | undefined>>

const REACH_TIMEOUT_MS = 5_000
const STATUS_TIMEOUT_MS = 10_000

/** Tools that no test needs, and the command that does. */
const NEEDED_BY: Readonly<Record<string, string>> = { k6: "bench serving" }

/** Checks all that Sentinel uses, outside systems at the same time; none may take over 10 s. */
export async function checkEverything(env: Environment): Promise<readonly Finding[]> {
  const config = attempt("configuration", () => readConfig(env))
  const configured = "state" in config ? [config] : await checkConfigured(config)
  const unknown = unknownVariables(env).map(unknownFinding)
  return [await checkBun(), ...unknown, ...configured, ...(await checkTestServices(env))]
}

function unknownFinding({ name, nearest }: UnknownVariable): Finding {
  const detail = `${name} is unknown and has no effect`
  return { state: "FAILED", subject: "variable", detail, remedy: `did you mean ${nearest}?` }
}

async function checkConfigured(config: Config): Promise<readonly Finding[]> {
  return await Promise.all([
    attempt("configuration", () => checkStart(config)),
    checkDataDirectory(config),
    checkModels(config),
    checkKafka(config),
    checkMinio(config),
    checkSandbox(config),
    checkAuditLog(config),
    checkGatekeeper(config),
    checkToken(config),
    checkAlerts(config),
  ])
}

/** What `start` finds wrong with variables that are valid by themselves. @throws ConfigInvalidError */
function checkStart(config: Config): Finding {
  checkBinding(config)
  readNeverBlock(config.rules.neverBlockFile)
  return { state: "ok", subject: "configuration", detail: "every variable is valid" }
}

/** The value, or the finding that says why there is none. */
function attempt<T>(subject: string, work: () => T): T | Finding {
  try {
    return work()
  } catch (error) {
    // One line of the screen for each finding.
    const detail = publicError(error).message.replaceAll(/\n\s*/g, " ")
    return { state: "FAILED", subject, detail }
  }
}

async function checkBun(): Promise<Finding> {
  const text = await readFile(join(REPOSITORY, ".tool-versions"), "utf8")
  const pinned = /^bun (\S{1,32})$/m.exec(text)?.[1] ?? "unknown"
  const detail = `bun ${Bun.version} on ${platform()} ${arch()}`
  if (pinned === Bun.version) return { state: "ok", subject: "runtime", detail }
  const remedy = `this checkout is pinned to bun ${pinned}; ./sentinel finds or installs it`
  return { state: "FAILED", subject: "runtime", detail, remedy }
}

async function checkDataDirectory({ dataDir }: Config): Promise<Finding> {
  const subject = "data directory"
  const server = findServer(dataDir)
  if (server !== undefined) {
    const detail = `owned by the server at http://${server.host}:${server.port} (pid ${server.pid})`
    return { state: "ok", subject, detail }
  }
  const path = await nearestExisting(dataDir)
  try {
    // /proc calls itself writable to root: only trying tells
    await rmdir(await mkdtemp(join(path, ".sentinel-doctor-")))
    const detail =
      path === dataDir ? "writable, no server is running" : "is made at the first start"
    return { state: "ok", subject, detail }
  } catch {
    const remedy = "make it writable, or set SENTINEL_DATA_DIR to a directory that is"
    return { state: "FAILED", subject, detail: "not writable", remedy }
  }
}

/** The directory itself, or the closest of its parents that is there. */
async function nearestExisting(directory: string): Promise<string> {
  for (let path = directory; ; path = dirname(path)) {
    const exists = await access(path).then(
      () => true,
      () => false,
    )
    if (exists || path === dirname(path)) return path
  }
}

async function checkModels(config: Config): Promise<Finding> {
  const subject = "models"
  try {
    const { classifier, anomaly } = await openModels(config)
    const names = `${classifier.info.modelId} and ${anomaly.info.modelId}`
    return { state: "ok", subject, detail: `${names} agree with ONNX Runtime` }
  } catch (error) {
    const remedy = "restore models/ from the repository, or train them: ./sentinel train"
    return { state: "FAILED", subject, detail: publicError(error).message, remedy }
  }
}

async function checkKafka({ kafka }: Config): Promise<Finding> {
  const subject = "Kafka"
  if (kafka === undefined) {
    const detail = "not configured: evidence comes from the inbox and the API"
    return { state: "off", subject, detail, remedy: "set KAFKA_BOOTSTRAP_SERVERS to use it" }
  }
  const producer = idempotentProducer(kafkaClient({ brokers: kafka.brokers }))
  try {
    await within(REACH_TIMEOUT_MS, producer.connect())
    return { state: "ok", subject, detail: `answers; consumer group ${kafka.groupId}` }
  } catch {
    const remedy = "check KAFKA_BOOTSTRAP_SERVERS and that the brokers run"
    return { state: "FAILED", subject, detail: "does not answer", remedy }
  } finally {
    void producer.disconnect().catch(() => undefined)
  }
}

async function checkMinio({ minio }: Config): Promise<Finding> {
  const subject = "MinIO"
  if (minio === undefined) {
    const detail = "not configured: objects are read from the data directory"
    return { state: "off", subject, detail, remedy: "set MINIO_ENDPOINT to use it" }
  }
  try {
    const signal = AbortSignal.timeout(REACH_TIMEOUT_MS)
    await within(REACH_TIMEOUT_MS, minioObjects(minio).ping(signal))
    return { state: "ok", subject, detail: "answers and accepts the keys" }
  } catch (error) {
    const remedy = "check MINIO_ENDPOINT, MINIO_SECURE and the keys"
    return { state: "FAILED", subject, detail: publicError(error).message, remedy }
  }
}

/** Reads the active rules, which needs the token as well. */
async function checkGatekeeper({ gatekeeper, rules }: Config): Promise<Finding> {
  const subject = "Gatekeeper"
  if (gatekeeper === undefined) {
    const detail = "not configured: rules are made and kept, and nobody enforces them"
    return { state: "off", subject, detail, remedy: "set GATEKEEPER_API_URL to use it" }
  }
  try {
    const active = await within(REACH_TIMEOUT_MS, gatekeeperClient(gatekeeper).list())
    const ours = active.filter(({ created_by }) => created_by === "sentinel").length
    const mode = rules.isAutoApplyOn ? "sure rules are applied" : "a person decides every rule"
    const detail = `answers, ${ours} of its ${active.length} active rules are ours; ${mode}`
    return { state: "ok", subject, detail }
  } catch (error) {
    const remedy = "check GATEKEEPER_API_URL, GATEKEEPER_API_TOKEN, and that Gatekeeper runs"
    return { state: "FAILED", subject, detail: publicError(error).message, remedy }
  }
}

async function checkToken({ apiToken }: Config): Promise<Finding> {
  const subject = "API token"
  if (apiToken !== undefined) return { state: "ok", subject, detail: "set" }
  const detail = "not set: the API stays on loopback"
  return { state: "off", subject, detail, remedy: "set SENTINEL_API_TOKEN to serve other hosts" }
}

/** Asks nobody: a test alert wakes people. */
async function checkAlerts({ alerts, kafka }: Config): Promise<Finding> {
  const subject = "alerts"
  const told = [
    ...(alerts.webhook ? [`posted to ${new URL(alerts.webhook.url).host}`] : []),
    ...(kafka ? ["published on Kafka"] : []),
  ]
  if (told.length === 0) {
    return { state: "off", subject, detail: "nobody is told: see SENTINEL_ALERT_WEBHOOK_URL" }
  }
  const detail = `${told.join(", ")}; ./sentinel alerts test tells whether they arrive`
  return { state: "ok", subject, detail }
}

/** What `scripts/services status` knows, one finding for each service of the integration tests. */
async function checkTestServices(env: Environment): Promise<readonly Finding[]> {
  const child = Bun.spawn([join(REPOSITORY, "scripts/services"), "status"], {
    env: { ...env },
    stdio: ["ignore", "pipe", "ignore"],
    timeout: STATUS_TIMEOUT_MS,
  })
  const text = await new Response(child.stdout).text()
  return text.split("\n", 20).flatMap(testServiceFinding)
}

function testServiceFinding(line: string): readonly Finding[] {
  const [, name, status] = /^([a-z0-9-]{1,32}): ([a-z ]{1,32})/.exec(line) ?? []
  if (name === undefined || status === undefined) return []
  const user = NEEDED_BY[name]
  const subject = `${name} (${user ?? "tests"})`
  if (!status.startsWith("not installed")) {
    return [{ state: "ok", subject, detail: "installed" }]
  }
  const remedy = `scripts/services install ${name}`
  if (user !== undefined) {
    return [{ state: "optional", subject, detail: `nothing but ${user} needs it`, remedy }]
  }
  return [{ state: "missing", subject, detail: "what needs it is skipped", remedy }]
}
