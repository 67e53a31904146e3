import { mkdtempSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** What a test is told about a service that it may use. */
interface Connections {
  readonly kafka: { readonly brokers: readonly string[] }
  readonly minio: {
    readonly host: string
    readonly port: number
    readonly accessKey: string
    readonly secretKey: string
  }
  /** An engine without any network for its containers. */
  readonly docker: { readonly dockerHost: string }
  readonly bubblewrap: { readonly binary: string }
  readonly k6: { readonly binary: string }
  readonly promtool: { readonly binary: string }
  /** A Python with a Kafka and an S3 client. */
  readonly producer: { readonly python: string }
  /** A Python with a client of the Open Inference Protocol. */
  readonly "inference-client": { readonly python: string }
}
type ServiceName = keyof Connections
type Variables = Readonly<Record<string, string | undefined>>

const SCRIPT = join(import.meta.dir, "../../scripts/services")
const answers = new Map<ServiceName, Promise<unknown>>()

/**
 * How to reach a real service: one that the environment names or that runs already, else one that
 * this starts on free ports and stops when the tests end.
 *
 * Undefined where it is not installed: the test is to be skipped, and the command that would install
 * it is printed. With CI=true that is a failure instead.
 */
export function requireService<Name extends ServiceName>(
  name: Name,
): Promise<Connections[Name] | undefined> {
  const known = answers.get(name) ?? find(name)
  answers.set(name, known)
  return known as Promise<Connections[Name] | undefined>
}

/** The same, but a server of this test alone, empty: for tests of topics with fixed names. */
export async function requireFreshServer<Name extends "kafka" | "minio" | "docker">(
  name: Name,
): Promise<Connections[Name] | undefined> {
  if (runScript(["status", name]).includes("not installed")) return missing(name)
  const connection = READERS[name](await startOwn(name))
  return connection ?? missing(name)
}

export interface RestartableKafka {
  readonly brokers: readonly string[]
  /** Stops the broker, keeps its data, starts it on the same port. */
  restart(): Promise<void>
}

export interface StoppableKafka extends RestartableKafka {
  stop(): Promise<void>
  start(): Promise<void>
}

/** A broker of this test alone that it may stop and start. */
export async function requireRestartableKafka(): Promise<StoppableKafka | undefined> {
  if (runScript(["status", "kafka"]).includes("not installed")) return missing("kafka")
  const environment = await ownEnvironment()
  const connection = READERS.kafka(startWith("kafka", environment))
  if (connection === undefined) return missing("kafka")
  const command = async (verb: "start" | "stop") => {
    const child = Bun.spawn([SCRIPT, verb, "kafka"], {
      env: { ...process.env, ...environment },
      ...({ stdin: "ignore", stdout: "ignore", stderr: "ignore" } as const),
    })
    if ((await child.exited) !== 0) throw new Error(`the broker did not ${verb}`)
  }
  return {
    ...connection,
    stop: () => command("stop"),
    start: () => command("start"),
    async restart() {
      await command("stop")
      await command("start")
    },
  }
}

async function find(name: ServiceName): Promise<Connections[ServiceName] | undefined> {
  const given = READERS[name](process.env) ?? READERS[name](servicesEnv())
  if (given !== undefined) return given
  if (runScript(["status", name]).includes("not installed")) return missing(name)
  const variables = await startOwn(name)
  return READERS[name](variables) ?? missing(name)
}

function missing(name: ServiceName): undefined {
  const text = `${name} is not installed; its tests need: scripts/services install ${name}`
  if (process.env.CI === "true") throw new Error(text)
  process.stderr.write(`SKIPPED: ${text}\n`)
  return undefined
}

const READERS: {
  readonly [Name in ServiceName]: (variables: Variables) => Connections[Name] | undefined
} = {
  kafka({ KAFKA_BOOTSTRAP_SERVERS: servers }) {
    return servers ? { brokers: servers.split(",") } : undefined
  },
  minio({ MINIO_ENDPOINT: endpoint, MINIO_ACCESS_KEY: accessKey, MINIO_SECRET_KEY: secretKey }) {
    if (!endpoint || !accessKey || !secretKey) return undefined
    const [host = "", port] = endpoint.split(":")
    return { host, port: Number(port), accessKey, secretKey }
  },
  docker: ({ DOCKER_HOST: dockerHost }) => (dockerHost ? { dockerHost } : undefined),
  bubblewrap: ({ BWRAP_BIN: binary }) => (binary ? { binary } : undefined),
  k6: ({ K6_BIN: binary }) => (binary ? { binary } : undefined),
  promtool: ({ PROMTOOL_BIN: binary }) => (binary ? { binary } : undefined),
  producer: ({ PRODUCER_PYTHON: python }) => (python ? { python } : undefined),
  "inference-client": ({ INFERENCE_CLIENT_PYTHON: python }) => (python ? { python } : undefined),
}

/** The servers of this process, in a folder of its own, gone when it ends. */
async function startOwn(name: ServiceName): Promise<Variables> {
  return startWith(name, await ownEnvironment())
}

type OwnEnvironment = Variables & { readonly SENTINEL_SERVICES_DATA: string }

async function ownEnvironment(): Promise<OwnEnvironment> {
  const [kafka, controller, minio] = await freePorts(3)
  return {
    SENTINEL_SERVICES_DATA: mkdtempSync(join(tmpdir(), "sentinel-services-")),
    SENTINEL_KAFKA_PORT: String(kafka),
    SENTINEL_KAFKA_CONTROLLER_PORT: String(controller),
    SENTINEL_MINIO_PORT: String(minio),
  }
}

function startWith(name: ServiceName, environment: OwnEnvironment): Variables {
  stopWhenTestsEnd(name, environment)
  runScript(["start", name], environment)
  return servicesEnv(environment)
}

/** bun:test tells nobody that it ends: a shell that waits for this process to close its pipe knows. */
function stopWhenTestsEnd(name: ServiceName, environment: OwnEnvironment) {
  const command = 'cat > /dev/null; "$0" stop "$1"; rm -rf "$SENTINEL_SERVICES_DATA"'
  Bun.spawn(["setsid", "bash", "-c", command, SCRIPT, name], {
    env: { ...process.env, ...environment },
    stdin: "pipe",
    stdout: "ignore",
    stderr: "ignore",
  }).unref()
}

function servicesEnv(environment: Variables = {}): Variables {
  const lines = runScript(["env"], environment).matchAll(/^export (\w+)=(\S*)$/gm)
  return Object.fromEntries([...lines].map(([, name, value]) => [name, value]))
}

function runScript(command: readonly string[], environment: Variables = {}): string {
  const { stdout } = Bun.spawnSync([SCRIPT, ...command], {
    env: { ...process.env, ...environment },
    stdin: "ignore",
    stderr: command[0] === "start" ? "inherit" : "ignore",
  })
  return stdout.toString()
}

/** Different ones: all are held open until all are known. */
async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => listenAnywhere()))
  const ports = servers.map((server) => {
    const address = server.address()
    return typeof address === "object" && address !== null ? address.port : 0
  })
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

function listenAnywhere(): Promise<ReturnType<typeof createServer>> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once("error", reject)
    server.listen(0, "127.0.0.1", () => resolve(server))
  })
}
