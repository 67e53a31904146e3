import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs"
import { join } from "node:path"

/**
 * Whether a panic is on: a file in the state directory, so that it outlives the process and that a
 * command can set it while the server does not answer.
 */
export interface PanicState {
  isOn(): boolean
  /** Durable when it returns. */
  set(reason: string): void
  clear(): void
}

export function openPanicState(stateDirectory: string): PanicState {
  const path = join(stateDirectory, "panic.json")
  return {
    isOn: () => existsSync(path),
    set(reason) {
      mkdirSync(stateDirectory, { recursive: true, mode: 0o700 })
      const file = openSync(path, "w", 0o600)
      writeSync(file, `${JSON.stringify({ reason, at: new Date().toISOString() })}\n`)
      fsyncSync(file)
      closeSync(file)
    },
    clear: () => rmSync(path, { force: true }),
  }
}
