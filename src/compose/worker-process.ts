import { join } from "node:path"
import type { FromWorker, ToWorker } from "./cluster-messages.ts"

const MAIN = join(import.meta.dir, "../main.ts")

export interface WorkerProcess {
  readonly pid: number
  /** Resolves once the process is gone, however it went. */
  readonly exited: Promise<unknown>
  /** False where the process is gone. */
  send(message: ToWorker): boolean
  kill(): void
}

/**
 * Starts an API worker as a child process with this process's environment and log.
 * @param port 0 = any free one
 */
export function spawnWorker(port: number, onMessage: (message: FromWorker) => void): WorkerProcess {
  const command = [process.execPath, "--no-env-file", MAIN, "worker", "--port", String(port)]
  const child = Bun.spawn(command, {
    stdio: ["ignore", "inherit", "inherit"],
    ipc: (message) => onMessage(message as FromWorker),
  })
  return {
    pid: child.pid,
    exited: child.exited,
    send(message) {
      try {
        child.send(message)
        return true
      } catch {
        return false
      }
    },
    kill: () => child.kill("SIGKILL"),
  }
}
