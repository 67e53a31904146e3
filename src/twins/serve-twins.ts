import { SIMULATED_CLASSES, type SimulatedClass } from "../twin-protocol.ts"
import { readLines, writeLine } from "./lines.ts"
import { TwinProcess, type TwinProcessOptions } from "./twin-process.ts"
import { parseTwinRequest } from "./twin-request.ts"

const STDOUT = 1

export interface ServeOptions extends Omit<TwinProcessOptions, "class"> {
  /** Whose next child waits ready; a request of another class starts one. */
  readonly classes: readonly SimulatedClass[]
}

/**
 * `twin serve`: answers requests, one at a time, until its standard input ends.
 *
 * A line that is no request, or a twin that crashed, is answered with `{"error", "id"?}`.
 */
export async function serveTwins(options: ServeOptions): Promise<void> {
  const preloaded = new PreloadedTwins(options)
  writeLine(STDOUT, { ready: true, classes: options.classes })
  try {
    for await (const line of readLines(Bun.stdin.stream())) await answerLine(preloaded, line)
  } finally {
    await preloaded.close()
  }
}

/** Nobody waits for what is cleared away behind an answer; the next request does. */
async function answerLine(preloaded: PreloadedTwins, line: string | undefined): Promise<void> {
  const parsed = line === undefined ? { problem: "the line is too long" } : parseTwinRequest(line)
  if ("problem" in parsed) return writeLine(STDOUT, { error: parsed.problem })
  const { request } = parsed
  const child = preloaded.take(request.class)
  try {
    const answer = await child.run(request)
    writeLine(STDOUT, answer ?? { id: request.id, error: "the twin ended without an answer" })
  } finally {
    await endChild(child, preloaded)
  }
}

/** Its request is answered; what it has left running is ended, and those who waited with it. */
async function endChild(child: TwinProcess, preloaded: PreloadedTwins): Promise<void> {
  await child.dispose()
  if (child.endsOthers) await preloaded.close()
  preloaded.refill()
}

/** The children that are loaded and wait, one for each class. */
class PreloadedTwins {
  readonly #options: ServeOptions
  readonly #waiting = new Map<SimulatedClass, TwinProcess>()

  constructor(options: ServeOptions) {
    this.#options = options
    this.refill()
  }

  take(twinClass: SimulatedClass): TwinProcess {
    const child = this.#waiting.get(twinClass) ?? this.#spawn(twinClass)
    this.#waiting.delete(twinClass)
    return child
  }

  refill(): void {
    for (const twinClass of SIMULATED_CLASSES) {
      if (!this.#options.classes.includes(twinClass) || this.#waiting.has(twinClass)) continue
      this.#waiting.set(twinClass, this.#spawn(twinClass))
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#waiting.values()].map((child) => child.dispose()))
    this.#waiting.clear()
  }

  #spawn(twinClass: SimulatedClass): TwinProcess {
    return new TwinProcess({ ...this.#options, class: twinClass })
  }
}
