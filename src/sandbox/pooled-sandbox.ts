import { SandboxPanickedError } from "../errors.ts"
import type { OutsideMeasurement, PanicReport, Sandbox, SandboxRun } from "../ports/sandbox.ts"
import type { TwinAnswer, TwinEffectKind, TwinRequest } from "../twin-protocol.ts"
import { TWIN_LIMITS_BY_CLASS } from "./limits.ts"
import type { PanicState } from "./panic-state.ts"
import { readAnswer } from "./read-answer.ts"
import {
  type Audit,
  type HostUsage,
  type SandboxDriver,
  shortId,
  type TwinHost,
} from "./twin-host.ts"
import { type Retirement, TwinPool } from "./twin-pool.ts"

/**
 * Effects after which a host is not trusted with another payload: something ran or was left there
 * that the twin does not know all about.
 */
const STRONG_EFFECTS: readonly TwinEffectKind[] = ["file_created", "process_spawned", "script_run"]

const STARTS_SETTLE_MS = 5_000

export interface PooledSandboxOptions {
  readonly driver: SandboxDriver
  readonly audit: Audit
  readonly panicState: PanicState
  readonly busyMax: number
  readonly warmMax: number
  /** Upper bound of every run, in milliseconds. */
  readonly timeoutMsMax: number
  /** Destroys whatever this instance has, by any driver, and says what is left. */
  destroyAll(): Promise<PanicReport>
  /** Told of what went wrong in the background. */
  onError(error: unknown): void
}

interface RunOptions {
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

/** What came of one question to a twin. */
interface Outcome {
  readonly answer: TwinAnswer | undefined
  readonly timedOut: boolean
  readonly wallMs: number
}

/** The sandbox over one driver: a warm pool, limits from outside, the audit log and the panic. */
export class PooledSandbox implements Omit<Sandbox, "resume"> {
  readonly #options: PooledSandboxOptions
  readonly #pool: TwinPool

  constructor(options: PooledSandboxOptions) {
    this.#options = options
    this.#pool = new TwinPool({ ...options, isPaused: () => options.panicState.isOn() })
  }

  describe() {
    return this.#options.driver.describe()
  }

  pool() {
    return this.#pool.pool()
  }

  isPanicked(): boolean {
    return this.#options.panicState.isOn()
  }

  async run(request: TwinRequest, options: RunOptions): Promise<SandboxRun> {
    this.#refusePanicked()
    options.signal?.throwIfAborted()
    const host = await this.#checkout(request)
    let retirement: Retirement | undefined = "no_answer"
    try {
      await this.#auditRun(request, host)
      const before = await host.usage()
      const outcome = await this.#ask(host, request, options)
      const outside = outsideMeasurement(outcome, before, await host.usage().catch(() => undefined))
      this.#refusePanicked()
      await this.#auditEnd(host, request, { ...outcome, ...outside })
      options.signal?.throwIfAborted()
      retirement = retirementOf(host, outcome, outside)
      const sandbox = this.#options.driver.describe(request.class)
      return { answer: outcome.answer, outside, sandbox }
    } finally {
      this.#pool.giveBack(host, retirement)
    }
  }

  async panic(reason: string): Promise<PanicReport> {
    this.#options.panicState.set(reason)
    this.#pool.clear()
    const first = await this.#options.destroyAll()
    // what was being started while everything was destroyed is there by now, or never will be
    await this.#pool.startsSettled(STARTS_SETTLE_MS)
    const second = await this.#options.destroyAll()
    const report = { ...second, destroyed: first.destroyed + second.destroyed }
    return auditPanic(report, reason, this.#options.audit)
  }

  close(): Promise<void> {
    return this.#pool.close()
  }

  #refusePanicked(): void {
    if (this.isPanicked()) throw new SandboxPanickedError()
  }

  async #checkout(request: TwinRequest): Promise<TwinHost> {
    try {
      return await this.#pool.checkout(request.class)
    } catch (error) {
      this.#refusePanicked()
      throw error
    }
  }

  /** Before the run: one that the log cannot hold does not happen. */
  #auditRun(request: TwinRequest, host: TwinHost): Promise<void> {
    const payload = new Bun.CryptoHasher("sha256").update(request.payload).digest("hex")
    return this.#options.audit("run", {
      ...{ run: request.id, class: request.class, payload_sha256: payload },
      ...{ host: shortId(host.id), driver: this.#options.driver.describe().driver },
    })
  }

  /** How it ended, unless it answered as it should: the log has that with its verdict. */
  async #auditEnd(host: TwinHost, { id }: TwinRequest, end: Outcome & OutsideMeasurement) {
    const event = endOf(end)
    if (event === undefined) return
    const data = { run: id, host: shortId(host.id), wall_ms: Math.round(end.wallMs) }
    await this.#options.audit(event, data)
  }

  async #ask(host: TwinHost, request: TwinRequest, options: RunOptions): Promise<Outcome> {
    const limit = TWIN_LIMITS_BY_CLASS[request.class].timeoutMs
    const timeoutMs = Math.min(options.timeoutMs, this.#options.timeoutMsMax, limit)
    const clock = AbortSignal.timeout(timeoutMs)
    const signal = options.signal === undefined ? clock : AbortSignal.any([clock, options.signal])
    const began = performance.now()
    host.channel.send(JSON.stringify(request))
    const line = await host.channel.receive(signal)
    const wallMs = performance.now() - began
    const timedOut = line === undefined && clock.aborted
    // a killed host still tells how it ended; what was not killed may still be at work
    if (line === undefined) await host.kill()
    const answer = host.channel.hasUnsolicited ? undefined : readAnswer(line, request)
    return { answer, timedOut, wallMs }
  }
}

function outsideMeasurement(
  { timedOut, wallMs }: Outcome,
  before: HostUsage,
  after: HostUsage | undefined,
): OutsideMeasurement {
  const cpuMs =
    before.cpuMs === undefined || after?.cpuMs === undefined
      ? undefined
      : after.cpuMs - before.cpuMs
  return {
    wallMs,
    cpuMs,
    memoryPeakBytes: after?.memoryPeakBytes,
    exitCode: after?.exitCode,
    timedOut,
    outOfMemory: after?.outOfMemory === true && !before.outOfMemory,
  }
}

function endOf({ answer, timedOut, outOfMemory }: Outcome & OutsideMeasurement) {
  if (timedOut) return "timeout"
  if (outOfMemory) return "out_of_memory"
  return answer === undefined ? "killed" : undefined
}

function retirementOf(
  host: TwinHost,
  { answer, timedOut }: Outcome,
  { outOfMemory }: OutsideMeasurement,
): Retirement | undefined {
  if (timedOut) return "timeout"
  if (outOfMemory) return "out_of_memory"
  if (host.channel.hasUnsolicited) return "unasked_output"
  if (answer === undefined || host.channel.ended !== undefined) return "no_answer"
  if (answer.inconclusive === "budget_exceeded") return "timeout"
  return isStrongHit(answer) ? "strong_hit" : undefined
}

function isStrongHit({ attempts }: TwinAnswer): boolean {
  return attempts.some(({ effects }) => effects.some(({ kind }) => STRONG_EFFECTS.includes(kind)))
}

/** A panic destroys first: a log that fails does not stop it, but is told. */
export async function auditPanic(
  report: PanicReport,
  reason: string,
  audit: Audit,
): Promise<PanicReport> {
  try {
    await audit("panic", { reason: reason.slice(0, 500), ...report })
    return report
  } catch {
    return { ...report, left: [...report.left, "the audit log could not be written"] }
  }
}
