import { mkdir, rename } from "node:fs/promises"
import { homedir } from "node:os"
import { join, resolve } from "node:path"
import { runTool } from "../detection/peer.ts"
import type { Client } from "./run-client.ts"

const SOURCES = resolve(import.meta.dir, "peers")
const PLATFORMATIC = "@platformatic/kafka@2.12.1"
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
    await attempt("franz-go loop", () => franz(cache)),
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

async function franz(cache: string): Promise<readonly string[]> {
  const source = join(SOURCES, "franz")
  const texts = ["go.mod", "main.go"].map((name) => Bun.file(join(source, name)).text())
  const program = join(cache, `franz-${digest((await Promise.all(texts)).join("\0"))}`)
  if (!(await Bun.file(program).exists())) {
    await runTool(["go", "build", "-trimpath", "-o", `${program}.part`, "."], { cwd: source })
    await rename(`${program}.part`, program)
  }
  return [program]
}

function digest(text: string): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("hex").slice(0, 16)
}
