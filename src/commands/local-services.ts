import { mkdtemp, rm } from "node:fs/promises"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { UnavailableError } from "../errors.ts"
import { REPOSITORY } from "./repository.ts"

const SCRIPT = join(REPOSITORY, "scripts/services")
/** Services that run; every other name is a tool, which is only installed. */
const SERVERS: readonly string[] = ["kafka", "minio", "docker"]
const START_TIMEOUT_MS = 120_000
const INSTALL_TIMEOUT_MS = 20 * 60_000
const STATUS_TIMEOUT_MS = 10_000

type Environment = Readonly<Record<string, string | undefined>>

export interface LocalServices {
  /** The given environment, with the addresses of what was started and no other addresses. */
  readonly env: Environment
  /** Those of the wanted services that this machine lacks; for a test or suite to be skipped. */
  readonly missing: readonly string[]
  /** Stops what was started here, and nothing else. */
  stop(): Promise<void>
}

/** The one command that installs `services`. */
export function installCommand(services: readonly string[]): string {
  return `scripts/services install ${services.join(" ")}`
}

/** @throws UnavailableError where one of them cannot be installed; the script has said why */
export async function installServices(
  services: readonly string[],
  env: Environment,
): Promise<void> {
  if (services.length === 0) return
  if (!(await runScript(["install", ...services], env, INSTALL_TIMEOUT_MS))) {
    throw new UnavailableError(installCommand(services))
  }
}

/** Those of `services` that this machine lacks, whatever runs on it at the moment. */
export async function missingServices(
  services: readonly string[],
  env: Environment,
): Promise<readonly string[]> {
  if (services.length === 0) return []
  const nothingRuns = await mkdtemp(join(tmpdir(), "sentinel-services-"))
  const scriptEnv = { ...env, SENTINEL_SERVICES_DATA: nothingRuns }
  const status = await scriptOutput(["status", ...services], scriptEnv, STATUS_TIMEOUT_MS)
  await rm(nothingRuns, { recursive: true, force: true })
  const isThere = (service: string) =>
    status.some((line) => line.startsWith(`${service}: `) && !line.includes("not installed"))
  return services.filter((service) => !isThere(service))
}

/**
 * Starts those of `wanted` that are installed, on free ports and in a directory of their own, so
 * that neither another run nor a developer's services are in the way.
 * @throws UnavailableError where one that is installed does not start; the script has said why
 */
export async function startServices(
  wanted: readonly string[],
  env: Environment,
): Promise<LocalServices> {
  const missing = await missingServices(wanted, env)
  const servers = SERVERS.filter((name) => wanted.includes(name) && !missing.includes(name))
  const directory = await mkdtemp(join(tmpdir(), "sentinel-services-"))
  const scriptEnv = { ...withoutConfigured(env), ...(await privatePlace(directory)) }
  const stop = async () => {
    if (servers.length > 0) await runScript(["stop", ...servers], scriptEnv, START_TIMEOUT_MS)
    await rm(directory, { recursive: true, force: true })
  }
  if (
    servers.length > 0 &&
    !(await runScript(["start", ...servers], scriptEnv, START_TIMEOUT_MS))
  ) {
    await stop()
    throw new UnavailableError(servers.join(" or "))
  }
  return { env: { ...scriptEnv, ...(await addresses(scriptEnv)) }, missing, stop }
}

async function privatePlace(directory: string): Promise<Record<string, string>> {
  const [kafka, controller, minio] = await freePorts(3)
  return {
    SENTINEL_SERVICES_DATA: directory,
    SENTINEL_KAFKA_PORT: String(kafka),
    SENTINEL_KAFKA_CONTROLLER_PORT: String(controller),
    SENTINEL_MINIO_PORT: String(minio),
  }
}

/** Ports that were free a moment ago; all are held until the last is known, so none comes twice. */
async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  const ports: number[] = []
  for (const server of servers) {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    const address = server.address()
    if (address !== null && typeof address === "object") ports.push(address.port)
  }
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

/** Output of the script goes to stderr: stdout belongs to the command's own result. */
async function runScript(
  args: readonly string[],
  env: Environment,
  timeoutMs: number,
): Promise<boolean> {
  try {
    const child = Bun.spawn([SCRIPT, ...args], {
      cwd: REPOSITORY,
      env: { ...env },
      stdio: ["ignore", 2, 2],
      timeout: timeoutMs,
    })
    return (await child.exited) === 0
  } catch {
    return false // the script itself is not there or not executable
  }
}

/** Reads the `export NAME=value` lines that `scripts/services env` prints for what is usable. */
async function addresses(env: Environment): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const line of await scriptOutput(["env"], env, STATUS_TIMEOUT_MS)) {
    const [, name, value] = /^export ([A-Z0-9_]{1,64})=(\S{1,500})$/.exec(line) ?? []
    if (name !== undefined && value !== undefined) found[name] = value
  }
  return found
}

/** The first lines that the script prints; none where it cannot run. */
async function scriptOutput(
  args: readonly string[],
  env: Environment,
  timeoutMs: number,
): Promise<readonly string[]> {
  try {
    const child = Bun.spawn([SCRIPT, ...args], {
      cwd: REPOSITORY,
      env: { ...env },
      stdio: ["ignore", "pipe", "ignore"],
      timeout: timeoutMs,
    })
    return (await new Response(child.stdout).text()).split("\n", 100)
  } catch {
    return []
  }
}

/** What an operator configured must not be what a test writes to, nor what .env names. */
function withoutConfigured(env: Environment): Record<string, string | undefined> {
  const isAddress = (name: string) => /^(KAFKA|MINIO)_|^DOCKER_HOST$/.test(name)
  return Object.fromEntries(Object.entries(env).filter(([name]) => !isAddress(name)))
}
