/** What a command may use of the process that runs it; `main.ts` makes the only real one. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>
  /** True where stderr is a terminal that a person watches: progress goes there or nowhere. */
  readonly isWatched: boolean
  /** Writes to stdout; resolves when the reader has room for more. */
  write(text: string): Promise<void>
  /** Writes to stderr. */
  note(text: string): void
  /** Resolves at the first SIGTERM or SIGINT, which then no longer end the process by themselves. */
  stopRequested(): Promise<void>
  /** Calls back at each SIGHUP, which then no longer ends the process. */
  onHangup(listener: () => void): void
}

/** Writes `line` over the one before, where somebody watches. */
export function showProgress(terminal: Terminal, line: string): void {
  if (terminal.isWatched) terminal.note(`\r${line}\u001b[K`)
}

/** Ends a line of progress, if there is one. */
export function endProgress(terminal: Terminal): void {
  if (terminal.isWatched) terminal.note("\r\u001b[K")
}
