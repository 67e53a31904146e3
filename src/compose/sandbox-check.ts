import type { Config } from "../config.ts"
import { publicError, SandboxPanickedError, SandboxUnavailableError } from "../errors.ts"
import { openDockerEngine } from "../sandbox/docker-engine.ts"
import { isPanickedOffline } from "./offline-sandbox.ts"

/**
 * Which driver the sandbox would have, as far as can be told without starting anything: the name of
 * the runtime as well where Docker answers, undefined where simulation is switched off.
 * @throws SandboxUnavailableError with what was looked for, SandboxPanickedError
 */
export async function checkSandboxDriver(
  config: Pick<Config, "dataDir" | "sandbox">,
): Promise<string | undefined> {
  const { mode, dockerHost } = config.sandbox
  if (mode === "none") return undefined
  if (isPanickedOffline(config)) throw new SandboxPanickedError()
  const problems: string[] = []
  if (mode !== "bubblewrap") {
    try {
      const { runtimes } = await openDockerEngine(dockerHost).info()
      return `docker (${runtimes.includes("runsc") ? "runsc" : "runc"})`
    } catch (error) {
      problems.push(publicError(error).message)
    }
  }
  if (mode !== "docker" && Bun.which("bwrap") !== null) return "bubblewrap"
  if (mode !== "docker") problems.push("bubblewrap is not installed")
  throw new SandboxUnavailableError(problems.join("; "))
}
