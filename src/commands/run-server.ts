import { startSentinel } from "../compose/server.ts"
import { unknownVariables } from "../config/unknown-variables.ts"
import { readConfig } from "../config.ts"
import { terminalLog } from "./log.ts"
import { logRuntimeWarnings } from "./runtime-warnings.ts"
import type { Terminal } from "./terminal.ts"

/**
 * Runs until a stop signal has been obeyed or the work is over.
 * @throws SentinelError where it cannot start: configuration, port, data directory, model
 */
export async function runServer(
  mode: "start" | "serve" | "process",
  terminal: Terminal,
): Promise<number> {
  const stopRequested = terminal.stopRequested()
  const log = terminalLog(terminal)
  using _ = logRuntimeWarnings(log)
  for (const { name, nearest } of unknownVariables(terminal.env)) {
    log.warn("a variable is unknown and has no effect", { variable: name, nearest })
  }
  const config = readConfig(terminal.env)
  const running = await startSentinel(config, mode, log)
  void stopRequested.then(() => {
    log.info("sentinel is stopping", { seconds_max: config.drainTimeoutMs / 1_000 })
    return running.stop()
  })
  if (running.restartWorkers !== undefined) terminal.onHangup(running.restartWorkers)
  const exitCode = await running.done
  log.info("sentinel has stopped", { exit_code: exitCode })
  return exitCode
}
