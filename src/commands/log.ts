import { systemClock } from "../clock.ts"
import { createLogger, type Logger } from "../log.ts"
import type { Terminal } from "./terminal.ts"

/** Lines to stderr, so that stdout keeps what a command answers; readable where somebody watches. */
export function terminalLog(terminal: Terminal): Logger {
  return createLogger({
    write: (line) => terminal.note(line),
    nowMs: systemClock.nowMs,
    format: terminal.isWatched ? "text" : "json",
  })
}
