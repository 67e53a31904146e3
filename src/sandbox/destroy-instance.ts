import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { PanicReport } from "../ports/sandbox.ts"
import { type DockerEngine, openDockerEngine } from "./docker-engine.ts"
import { instanceOf, processMark } from "./instance.ts"
import { killMarked, markedProcesses } from "./marked-processes.ts"
import { openPanicState } from "./panic-state.ts"
import { shortId } from "./twin-host.ts"

const CALL_MS = 5_000
const PAUSE_MS = 50
const ADDRESS_FILE = "docker-host"

/** Notes the engine that containers are made in, so that a panic looks there whatever it is told. */
export function rememberEngine(stateDirectory: string, { address }: DockerEngine): void {
  writeFileSync(join(stateDirectory, ADDRESS_FILE), `${address}\n`, { mode: 0o600 })
}

function rememberedEngine(stateDirectory: string): DockerEngine | undefined {
  try {
    return openDockerEngine(readFileSync(join(stateDirectory, ADDRESS_FILE), "utf8").trim())
  } catch {
    return undefined // no container was ever made
  }
}

/**
 * The panic of a command: for when the server does not answer. It refuses new runs first, so that
 * a server that is only deaf starts nothing either.
 */
export function panicInstance(stateDirectory: string, reason: string): Promise<PanicReport> {
  openPanicState(stateDirectory).set(reason)
  return destroyInstance(stateDirectory)
}

/**
 * Destroys whatever an instance has running, and says exactly what is left.
 *
 * Processes are killed by their mark first, which needs no engine that answers; then containers
 * are removed side by side, and looked for again.
 */
export async function destroyInstance(stateDirectory: string): Promise<PanicReport> {
  const mark = processMark(instanceOf(stateDirectory))
  const found = markedProcesses(mark).length
  const survivors = await killMarked(mark, CALL_MS)
  const killed = found - survivors.length
  const left = survivors.map((pid) => `process ${pid} could not be killed`)
  const engine = rememberedEngine(stateDirectory)
  if (engine === undefined) return { isClean: left.length === 0, destroyed: killed, left }
  const removed = await removeContainers(engine, mark)
  left.push(...removed.left)
  return { isClean: left.length === 0, destroyed: Math.max(killed, removed.destroyed), left }
}

async function removeContainers(
  engine: DockerEngine,
  label: string,
): Promise<{ destroyed: number; left: readonly string[] }> {
  try {
    return await removeListed(engine, label)
  } catch {
    const problem = `Docker does not answer at ${engine.address}`
    return { destroyed: 0, left: [`${problem}: containers labelled ${label} may remain`] }
  }
}

async function removeListed(
  engine: DockerEngine,
  label: string,
): Promise<{ destroyed: number; left: readonly string[] }> {
  const list = () => engine.list(label, AbortSignal.timeout(CALL_MS))
  const seen = new Set<string>()
  const deadline = AbortSignal.timeout(CALL_MS)
  let present = await list()
  while (present.length > 0 && !deadline.aborted) {
    for (const { id } of present) seen.add(id)
    await Promise.allSettled(present.map(({ id }) => engine.remove(id, deadline)))
    present = await list()
    if (present.length > 0) await Bun.sleep(PAUSE_MS) // somebody else is removing them
  }
  const left = present.map(({ id, isRunning }) => {
    return `container ${shortId(id)} ${isRunning ? "is still running" : "could not be removed"}`
  })
  return { destroyed: seen.size - left.length, left }
}
