import { mkdtempSync, rmSync } from "node:fs"
import { join } from "node:path"
import { withDeadline } from "../clock.ts"
import type { SimulatedClass, TwinAnswer, TwinAttempt, TwinRequest } from "../twin-protocol.ts"
import { TWIN_LIMITS } from "../twin-protocol.ts"
import { readLines } from "./lines.ts"
import type { TwinMessage } from "./run-twin.ts"
import { killAllOthers } from "./stray-processes.ts"

/** What the twin's own clock may be late by before it is killed. */
const GRACE_MS = 100
const READY_MS_MAX = 20_000
/** An answer of the most attempts, all of them as long as they may be and escaped, fits. */
const MESSAGE_BYTES_MAX = 4 * 1024 * 1024

export interface TwinProcessOptions {
  readonly class: SimulatedClass
  /** The program and the arguments before `run CLASS`. */
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Under which the process gets a fresh directory of its own. */
  readonly workDirectory: string
  /** Whether all other processes end with it, and not its own group only. @see isAlone */
  readonly endsOthers?: boolean
}

/**
 * A child that has loaded its twin and waits for one request: used once, in a process group and a
 * directory of its own, of which nothing is left afterwards.
 */
export class TwinProcess {
  readonly class: SimulatedClass
  readonly endsOthers: boolean
  readonly #directory: string
  readonly #process: Bun.Subprocess<"pipe", "pipe", "ignore">
  readonly #messages: AsyncGenerator<string | undefined>
  readonly #isReady: Promise<boolean>

  constructor(options: TwinProcessOptions) {
    this.class = options.class
    this.endsOthers = options.endsOthers === true
    this.#directory = mkdtempSync(join(options.workDirectory, "twin-"))
    this.#process = Bun.spawn([...options.command, "run", options.class], {
      cwd: this.#directory,
      env: { ...options.env },
      stdin: "pipe",
      stdout: "pipe",
      stderr: "ignore",
      detached: true,
    })
    this.#messages = readLines(this.#process.stdout, MESSAGE_BYTES_MAX)
    this.#isReady = withDeadline(READY_MS_MAX, this.#messages.next(), timedOut).then(isReadyLine)
  }

  /** What the twin said, or what it had reported when its time was up; undefined where it crashed. */
  async run(request: TwinRequest): Promise<TwinAnswer | undefined> {
    if (!(await this.#isReady)) return undefined
    const nonce = crypto.randomUUID()
    const reported: TwinAttempt[] = []
    this.#send({ ...request, nonce })
    const answer = this.#readAnswer(nonce, reported)
    const outcome = await withDeadline(request.budgetMs + GRACE_MS, answer, timedOut)
    const isKept = outcome === "timeout" || (outcome === undefined && reported.some(isHit))
    return isKept ? unfinishedAnswer(request, reported) : outcome
  }

  /** Kills the whole group, or all there is, and removes its directory; twice is as once. */
  async dispose(): Promise<void> {
    this.#kill()
    await this.#process.exited
    if (this.endsOthers) killAllOthers()
    rmSync(this.#directory, { recursive: true, force: true })
  }

  #send(value: unknown): void {
    this.#process.stdin.write(`${JSON.stringify(value)}\n`)
    this.#process.stdin.end()
  }

  async #readAnswer(nonce: string, reported: TwinAttempt[]): Promise<TwinAnswer | undefined> {
    for await (const line of this.#messages) {
      const message = messageOf(line, nonce)
      if (message?.answer !== undefined) return withReported(message.answer, reported)
      if (message?.attempt !== undefined && reported.length < TWIN_LIMITS.attemptsMax) {
        reported.push(message.attempt)
      }
    }
    return undefined
  }

  #kill(): void {
    try {
      process.kill(-this.#process.pid, "SIGKILL")
    } catch {
      // Nothing of the group is left.
    }
  }
}

const timedOut = () => "timeout" as const

function isReadyLine(result: IteratorResult<string | undefined> | "timeout"): boolean {
  return result !== "timeout" && result.value?.startsWith('{"ready":true') === true
}

/** Anything without the nonce was written by somebody else than the twin. */
function messageOf(line: string | undefined, nonce: string): TwinMessage | undefined {
  try {
    const message = JSON.parse(line ?? "") as TwinMessage | null
    if (message?.nonce !== nonce) return undefined
    const attempts = message.attempt === undefined ? message.answer?.attempts : [message.attempt]
    return attempts?.every(({ effects }) => Array.isArray(effects)) === true ? message : undefined
  } catch {
    return undefined
  }
}

function unfinishedAnswer(request: TwinRequest, reported: readonly TwinAttempt[]): TwinAnswer {
  return {
    id: request.id,
    class: request.class,
    attempts: reported,
    templatesTried: new Set(reported.map(({ template }) => template)).size,
    controlAttempts: [],
    ...(reported.some(isHit) ? {} : { inconclusive: "budget_exceeded" }),
  }
}

/** What was reported cannot be taken back: a payload may own the process by the time it answers. */
function withReported(answer: TwinAnswer, reported: readonly TwinAttempt[]): TwinAnswer {
  const templates = new Set(answer.attempts.map(({ template }) => template))
  const missing = reported.filter((one) => isHit(one) && !templates.has(one.template))
  if (missing.length === 0) return answer
  const attempts = [...missing, ...answer.attempts].slice(0, TWIN_LIMITS.attemptsMax)
  const { id, class: twinClass, templatesTried, controlAttempts } = answer
  return { id, class: twinClass, attempts, templatesTried, controlAttempts }
}

function isHit({ effects }: TwinAttempt): boolean {
  return effects.some(({ kind }) => kind !== "syntax_error")
}
