/** What a line is told apart by; `repeated` is how often it came while it was suppressed. */
export interface RepeatableEntry {
  readonly message: string
  readonly component: string
  readonly repeated?: number
}

export interface QuietOptions {
  /** How long a message is suppressed after it was logged; default 30 s. */
  readonly quietMs?: number
  readonly nowMs?: () => number
}

/** Messages remembered; the oldest is forgotten, and would be told again. */
const MESSAGES_MAX = 64

interface Told {
  readonly atMs: number
  repeated: number
}

/**
 * Passes each message on at once, and its repetitions at most every `quietMs`, with how many there
 * were. Messages that differ in their digits alone are one: tries, delays, ports, correlation ids.
 */
export function suppressRepeats<Entry extends RepeatableEntry>(
  log: (entry: Entry) => void,
  { quietMs = 30_000, nowMs = Date.now }: QuietOptions = {},
): (entry: Entry) => void {
  const told = new Map<string, Told>()
  return (entry) => {
    const key = `${entry.component}\n${entry.message.replace(/\d{1,32}/g, "0")}`
    const atMs = nowMs()
    const last = told.get(key)
    if (last !== undefined && atMs - last.atMs < quietMs) {
      last.repeated += 1
      return
    }
    told.delete(key)
    told.set(key, { atMs, repeated: 0 })
    const [oldest] = told.keys()
    if (told.size > MESSAGES_MAX && oldest !== undefined) told.delete(oldest)
    const repeated = last?.repeated ?? 0
    log(repeated === 0 ? entry : { ...entry, repeated })
  }
}
