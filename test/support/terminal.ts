import type { Terminal } from "../../src/commands/terminal.ts"

export interface RecordedTerminal extends Terminal {
  /** What went to stdout so far. */
  readonly written: () => string
  /** What went to stderr so far. */
  readonly noted: () => string
}

/** A terminal that nobody watches and that keeps what it was given. */
export function recordTerminal(env: Readonly<Record<string, string>> = {}): RecordedTerminal {
  let written = ""
  let noted = ""
  return {
    env,
    isWatched: false,
    write: async (text) => {
      written += text
    },
    note: (text) => {
      noted += text
    },
    stopRequested: () => new Promise(() => {}),
    onHangup: () => undefined,
    written: () => written,
    noted: () => noted,
  }
}
