/** Structured lines about what Sentinel does: JSON for machines, a readable form for a terminal. */

const LOG_LEVELS = ["debug", "info", "warn", "error"] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Facts beside the message. Never payloads, tokens or whole documents: those are not for logs. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>

export interface Logger {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** A logger that adds these fields to each line. */
  with(fields: LogFields): Logger
}

export interface LogOptions {
  /** Takes one line, its newline included, e.g. `(line) => process.stderr.write(line)`. */
  readonly write: (line: string) => void
  readonly nowMs: () => number
  /** Default "info". */
  readonly level?: LogLevel
  /** "json" for files and collectors, "text" for a terminal; default "json". */
  readonly format?: "json" | "text"
}

const VALUE_CHARACTERS_MAX = 2_000
const SECRET_NAME = /token|secret|password|authorization|cookie|access_?key|api_?key/i
/** C0, DEL and C1, and the separators and bidirectional marks that can forge what a line says. */
const CONTROL_CHARACTERS =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: neutralising them is the purpose
  /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

/**
 * Builds a logger. One call writes one line, whatever the message holds: control characters are
 * escaped, values are cut at 2,000 characters, and a field whose name says that it is a secret is
 * written as `[redacted]`.
 */
export function createLogger(options: LogOptions): Logger {
  const threshold = LOG_LEVELS.indexOf(options.level ?? "info")
  const render = options.format === "text" ? renderText : renderJson
  const at = (level: LogLevel, bound: LogFields) => (message: string, fields?: LogFields) => {
    if (LOG_LEVELS.indexOf(level) < threshold) return
    const time = new Date(options.nowMs()).toISOString()
    options.write(render({ time, level, message }, { ...bound, ...fields }))
  }
  const bind = (bound: LogFields): Logger => ({
    debug: at("debug", bound),
    info: at("info", bound),
    warn: at("warn", bound),
    error: at("error", bound),
    with: (fields) => bind({ ...bound, ...fields }),
  })
  return bind({})
}

interface Head {
  readonly time: string
  readonly level: LogLevel
  readonly message: string
}

function renderJson(head: Head, fields: LogFields): string {
  const safeHead = { ...head, message: safeText(head.message) }
  // The head twice: first for the reader, last so that a field named `level` cannot replace it.
  return `${JSON.stringify({ ...safeHead, ...safeFields(fields), ...safeHead })}\n`
}

function renderText(head: Head, fields: LogFields): string {
  const pairs = Object.entries(safeFields(fields)).map(
    ([name, value]) => ` ${name}=${typeof value === "string" ? JSON.stringify(value) : value}`,
  )
  const clock = head.time.slice(11, 23)
  return `${clock} ${head.level.padEnd(5)} ${safeText(head.message)}${pairs.join("")}\n`
}

function safeFields(fields: LogFields): Record<string, string | number | boolean> {
  const safe: Record<string, string | number | boolean> = {}
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue
    const text = typeof value === "string" ? safeText(value) : value
    safe[safeText(name)] = SECRET_NAME.test(name) ? "[redacted]" : text
  }
  return safe
}

function safeText(text: string): string {
  const cut = text.length > VALUE_CHARACTERS_MAX ? `${text.slice(0, VALUE_CHARACTERS_MAX)}…` : text
  return cut.replace(CONTROL_CHARACTERS, (character) => {
    const code = character.charCodeAt(0).toString(16)
    return `\\u${code.padStart(4, "0")}`
  })
}
