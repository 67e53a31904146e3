import type { Socket } from "bun"
import { Random } from "../../src/ml/random.ts"
import type { OpenLoopPlan, OpenLoopResult } from "./open-loop.ts"

/**
 * Sends new payloads at the times that a Poisson process sets, whether or not the answers of earlier
 * ones are there. A process of its own, so that it has a core of its own: it polls without a pause.
 */

const SEED = 20_261_126
const GRACE_MS = 2_000
/** Percentiles whose complement falls from 1 to 0.0001, four to each power of ten. */
const PERCENTILES = [50, ...Array.from({ length: 17 }, (_, step) => 100 * (1 - 10 ** (-step / 4)))]

interface Connection {
  socket: Socket | undefined
  scheduledMs: number
  sentMs: number
  received: string
}

class OpenLoop {
  readonly #plan: OpenLoopPlan
  readonly #texts: readonly string[]
  readonly #random = new Random(SEED)
  readonly #free: Connection[] = []
  /** Times that nobody was free for; those before `#taken` are dealt with. */
  readonly #due: number[] = []
  #taken = 0
  #sent = 0
  #waiting = 0
  readonly #fromSchedule: number[] = []
  readonly #fromSend: number[] = []
  readonly #statuses: Record<string, number> = {}

  constructor(plan: OpenLoopPlan, texts: readonly string[]) {
    this.#plan = plan
    this.#texts = texts
  }

  async run(): Promise<OpenLoopResult> {
    await Promise.all(Array.from({ length: this.#plan.connections }, () => this.#connect()))
    const beganMs = performance.now()
    const endMs = beganMs + this.#plan.seconds * 1_000
    let nextMs = beganMs
    for (;;) {
      const nowMs = performance.now()
      for (; nextMs <= nowMs && nextMs < endMs; nextMs += this.#gapMs()) this.#due.push(nextMs)
      if (nowMs < endMs) this.#sendDue()
      else if (this.#waiting === 0 || nowMs > endMs + GRACE_MS) break
      await new Promise(setImmediate)
    }
    return this.#result()
  }

  #gapMs(): number {
    return (-Math.log(1 - this.#random.next()) * 1_000) / this.#plan.rate
  }

  async #connect(): Promise<void> {
    const connection: Connection = { socket: undefined, scheduledMs: 0, sentMs: 0, received: "" }
    connection.socket = await Bun.connect({
      hostname: "127.0.0.1",
      port: this.#plan.port,
      socket: {
        data: (_, bytes) => this.#received(connection, bytes),
        close: () => this.#closed(connection),
        error: () => undefined,
      },
    })
    this.#free.push(connection)
  }

  #sendDue(): void {
    for (;;) {
      const scheduledMs = this.#due[this.#taken]
      const connection = scheduledMs === undefined ? undefined : this.#free.pop()
      if (connection === undefined || scheduledMs === undefined) return
      this.#taken++
      connection.scheduledMs = scheduledMs
      connection.sentMs = performance.now()
      connection.received = ""
      this.#waiting++
      connection.socket?.write(this.#request())
    }
  }

  #request(): string {
    const text = this.#texts[this.#sent++ % this.#texts.length]
    const body = `{"payload":"${text} ${this.#plan.run}${this.#sent}"}`
    return `POST /api/v1/sentinel/predict-payload HTTP/1.1\r\nHost: 127.0.0.1:${this.#plan.port}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  }

  #received(connection: Connection, bytes: Buffer): void {
    connection.received += bytes.toString("latin1")
    if (!isComplete(connection.received)) return
    const nowMs = performance.now()
    const status = connection.received.slice(9, 12)
    this.#count(status)
    if (status === "200") {
      this.#fromSchedule.push(nowMs - connection.scheduledMs)
      this.#fromSend.push(nowMs - connection.sentMs)
    }
    this.#waiting--
    connection.sentMs = 0
    this.#free.push(connection)
  }

  /** A connection that is lost with a request under way is a failure; a new one takes its place. */
  #closed(connection: Connection): void {
    if (connection.sentMs > 0) {
      this.#waiting--
      this.#count("broken")
    } else {
      this.#free.splice(this.#free.indexOf(connection), 1)
    }
    void this.#connect().catch(() => this.#count("refused"))
  }

  #count(status: string): void {
    this.#statuses[status] = (this.#statuses[status] ?? 0) + 1
  }

  #result(): OpenLoopResult {
    return {
      statuses: this.#statuses,
      unsent: this.#due.length - this.#taken,
      unanswered: this.#waiting,
      millisecondsFromSchedule: percentilesOf(this.#fromSchedule),
      millisecondsFromSend: percentilesOf(this.#fromSend),
    }
  }
}

function isComplete(received: string): boolean {
  const bodyAt = received.indexOf("\r\n\r\n") + 4
  if (bodyAt < 4) return false
  const length = /\r\ncontent-length: (\d+)/i.exec(received)?.[1]
  return received.length >= bodyAt + Number(length ?? 0)
}

function percentilesOf(values: readonly number[]): Record<string, number> {
  const sorted = Float64Array.from(values).sort()
  return Object.fromEntries(
    PERCENTILES.map((percentile) => {
      const index = Math.min(sorted.length - 1, Math.floor((sorted.length * percentile) / 100))
      return [String(percentile), sorted[index] ?? Number.NaN]
    }),
  )
}

const plan: OpenLoopPlan = JSON.parse(process.argv[2] ?? "")
const lines = (await Bun.file(plan.textsFile).text()).trimEnd().split("\n")
process.stdout.write(JSON.stringify(await new OpenLoop(plan, lines).run()))
process.exit(0)
