/** A line of an answer is at most this long: 32 attempts with effects, twice, stay far below. */
const LINE_BYTES_MAX = 4 * 1024 * 1024
/** Unsolicited lines that are held; a twin that says more than its ready line speaks nonsense. */
const WAITING_LINES_MAX = 8

const NEWLINE = 0x0a

/** Why a channel ended: the twin went away, or it wrote what no twin writes. */
export type ChannelEnd = "closed" | "too_much"

/**
 * Lines to and from a twin, bounded in length and in number.
 *
 * Whatever feeds it (a hijacked Docker stream, a pipe) calls `feed` and `end`.
 */
export class LineChannel {
  readonly #write: (text: string) => void
  #parts: Uint8Array[] = []
  #bytes = 0
  readonly #lines: string[] = []
  #end: ChannelEnd | undefined
  #wake: (() => void) | undefined

  constructor(write: (text: string) => void) {
    this.#write = write
  }

  /** How the channel ended; undefined while it is open. */
  get ended(): ChannelEnd | undefined {
    return this.#end
  }

  /** True where lines wait that nobody asked for: somebody else than the twin may have written. */
  get hasUnsolicited(): boolean {
    return this.#lines.length > 0 || this.#bytes > 0
  }

  send(line: string): void {
    if (this.#end === undefined) this.#write(`${line}\n`)
  }

  /** The next line, or undefined once the channel has ended or the signal fired. */
  async receive(signal: AbortSignal): Promise<string | undefined> {
    const line = this.#lines.shift()
    if (line !== undefined || this.#end !== undefined || signal.aborted) return line
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wake = resolve
    signal.addEventListener("abort", () => resolve(), { once: true })
    await promise
    this.#wake = undefined
    return this.#lines.shift()
  }

  feed(chunk: Uint8Array): void {
    let rest = chunk
    while (this.#end === undefined) {
      const newline = rest.indexOf(NEWLINE)
      this.#keep(newline < 0 ? rest : rest.subarray(0, newline))
      if (newline < 0) return
      this.#finishLine()
      rest = rest.subarray(newline + 1)
    }
  }

  end(reason: ChannelEnd = "closed"): void {
    this.#end ??= reason
    this.#parts = []
    this.#bytes = 0
    this.#wake?.()
  }

  #keep(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#bytes += bytes.length
    if (this.#bytes > LINE_BYTES_MAX) this.end("too_much")
    else this.#parts.push(bytes.slice())
  }

  #finishLine(): void {
    if (this.#end !== undefined) return
    const line = Buffer.concat(this.#parts).toString("utf8")
    this.#parts = []
    this.#bytes = 0
    if (this.#lines.length >= WAITING_LINES_MAX) {
      this.end("too_much")
    } else {
      this.#lines.push(line)
      this.#wake?.()
    }
  }
}
