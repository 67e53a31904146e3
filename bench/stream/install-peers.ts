import { mkdir, rename } from "node:fs/promises"
import { homedir } from "node:os"
import { join, resolve } from "node:path"
import { runTool } from "../detection/peer.ts"
import type { Client } from "./run-client.ts"

const SOURCES = resolve(import.meta.dir, "peers")
const PLATFORMATIC = "@platformatic/kafka@2.12.1"
const JAVA = "VerifyAndRoute.java"
const BYTEWAX = ["bytewax==0.21.1", "confluent-kafka==2.16.1"]

type Environment = Readonly<Record<string, string | undefined>>

/** A client that this machine could not install, and why. */
export interface MissingClient {
  readonly name: string
  readonly reason: string
}

/** Builds and downloads what is not in the user's cache yet; nothing outside of it is changed. */
export async function installPeers(env: Environment): Promise<readonly (Client | MissingClient)[]> {
  const root = env.SENTINEL_SERVICES_CACHE ?? join(homedir(), ".cache/sentinel-services")
  const cache = join(root, "stream")
  await mkdir(cache, { recursive: true })
  return [
    await attempt("@platformatic/kafka loop", () => platformatic(cache)),
    await attempt("bytewax", () => bytewax(cache)),
    await attempt("franz-go loop", () => goProgram(cache, "franz")),
    await attempt("bento", () => goProgram(cache, "bento")),
    ...(await kafkaStreams(cache)),
  ]
}

async function attempt(
  name: string,
  install: () => Promise<readonly string[]>,
): Promise<Client | MissingClient> {
  try {
    return { name, command: await install() }
  } catch (error) {
    const reason = error instanceof Error ? (error.cause ?? error.message) : "unknown"
    return { name, reason: String(reason) }
  }
}

/** Run by bun like the engine. The program lies beside the library, or it would not find it. */
async function platformatic(cache: string): Promise<readonly string[]> {
  const directory = join(cache, `platformatic-${digest(PLATFORMATIC)}`)
  const program = join(directory, "platformatic.mjs")
  if (
    !(await Bun.file(join(directory, "node_modules/@platformatic/kafka/package.json")).exists())
  ) {
    await mkdir(directory, { recursive: true })
    await Bun.write(join(directory, "package.json"), "{}")
    await runTool([process.execPath, "add", "--silent", PLATFORMATIC], { cwd: directory })
  }
  await Bun.write(program, Bun.file(join(SOURCES, "platformatic.mjs")))
  return [process.execPath, program]
}

async function bytewax(cache: string): Promise<readonly string[]> {
  const directory = join(cache, `bytewax-${digest(BYTEWAX.join(" "))}`)
  const python = join(directory, "bin/python")
  const complete = join(directory, "complete")
  if (!(await Bun.file(complete).exists())) {
    await runTool(["python3", "-m", "venv", directory])
    await runTool([python, "-m", "pip", "install", "--quiet", ...BYTEWAX])
    await Bun.write(complete, "")
  }
  return [python, join(SOURCES, "bytewax_flow.py")]
}

/** Both guarantees are one program, told by its last argument. */
async function kafkaStreams(cache: string): Promise<readonly (Client | MissingClient)[]> {
  const client = await attempt("kafka streams, at least once", () => javaProgram(cache))
  if ("reason" in client) return [client]
  return [client, { ...client, name: "kafka streams, exactly once", flags: ["exactly-once"] }]
}

async function javaProgram(cache: string): Promise<readonly string[]> {
  const source = join(SOURCES, "kafka-streams")
  const directory = join(cache, `kafka-streams-${await digestOf(source, "pom.xml", JAVA)}`)
  const classPath = `${directory}:${directory}/*`
  if (!(await Bun.file(join(directory, "VerifyAndRoute.class")).exists())) {
    const copy = ["dependency:copy-dependencies", `-DoutputDirectory=${directory}`]
    await runTool(["mvn", "-q", "-B", ...copy, "-DincludeScope=runtime"], { cwd: source })
    await runTool(["javac", "-cp", classPath, "-d", directory, JAVA], { cwd: source })
  }
  return ["java", "-Xmx256m", "-cp", classPath, "VerifyAndRoute"]
}

async function goProgram(cache: string, name: string): Promise<readonly string[]> {
  const source = join(SOURCES, name)
  const program = join(cache, `${name}-${await digestOf(source, "go.mod", "main.go")}`)
  if (!(await Bun.file(program).exists())) {
    await runTool(["go", "build", "-trimpath", "-o", `${program}.part`, "."], { cwd: source })
    await rename(`${program}.part`, program)
  }
  return [program]
}

async function digestOf(directory: string, ...files: readonly string[]): Promise<string> {
  const texts = await Promise.all(files.map((file) => Bun.file(join(directory, file)).text()))
  return digest(texts.join("\0"))
}

function digest(text: string): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("hex").slice(0, 16)
}
