import type { SandboxConfig } from "../config.ts"
import { SandboxUnavailableError, SentinelError } from "../errors.ts"
import type { PanicReport, Sandbox, SandboxDescription } from "../ports/sandbox.ts"
import { createBubblewrapDriver } from "./bubblewrap-driver.ts"
import { destroyInstance, rememberEngine } from "./destroy-instance.ts"
import { createDockerDriver } from "./docker-driver.ts"
import { openDockerEngine } from "./docker-engine.ts"
import type { SandboxImage } from "./image/build-image.ts"
import { ensureImage } from "./image/docker-image.ts"
import { instanceOf } from "./instance.ts"
import { openPanicState, type PanicState } from "./panic-state.ts"
import { auditPanic, PooledSandbox } from "./pooled-sandbox.ts"
import type { Audit, SandboxDriver } from "./twin-host.ts"

export interface SandboxOptions {
  /** auto = Docker, else bubblewrap, else none. */
  readonly mode: SandboxConfig["mode"]
  /** As in DOCKER_HOST; default the usual socket. */
  readonly dockerHost: string | undefined
  /** Instance id, panic and engine address; in the data directory, which has one owner. */
  readonly stateDirectory: string
  /** From the cache, or built now. */
  image(): Promise<SandboxImage>
  readonly audit: Audit
  /** Runs at once, of all classes. */
  readonly busyMax: number
  /** Hosts of one class that wait ready. */
  readonly warmMax: number
  readonly timeoutMsMax: number
  onError(error: unknown): void
  /** Milliseconds of a clock that only goes forward; default the process's own. */
  elapsedMs?(): number
}

/** Tries of drivers that failed are this far apart. */
const RETRY_MS = 30_000

/**
 * The sandbox with the best driver that this machine has.
 *
 * It answers at once: until a driver is there, which may take the building of an image, runs are
 * refused as SandboxUnavailableError, which is retryable. A driver that fails is looked for again.
 */
export function createSandbox(options: SandboxOptions): PreparedSandbox {
  return new OpeningSandbox(options)
}

export interface PreparedSandbox extends Sandbox {
  /** Resolves when the first, or the present, search for a driver is over. */
  ready(): Promise<void>
}

class OpeningSandbox implements PreparedSandbox {
  readonly #options: SandboxOptions
  readonly #panicState: PanicState
  readonly #instance: string
  #pooled: PooledSandbox | undefined
  #notes: readonly string[] = ["it is being prepared"]
  #reported = ""
  #opening: Promise<void> | undefined
  #openedMs = Number.NEGATIVE_INFINITY
  #isClosed = false

  constructor(options: SandboxOptions) {
    this.#options = options
    this.#panicState = openPanicState(options.stateDirectory)
    this.#instance = instanceOf(options.stateDirectory)
    this.#openIfDue()
  }

  async ready(): Promise<void> {
    await this.#opening
  }

  describe(): SandboxDescription {
    if (this.#pooled !== undefined) return this.#pooled.describe()
    // whoever waits for a driver asks here, and runs nothing until there is one
    this.#openIfDue()
    const none = { driver: "none", runtime: undefined, imageDigest: undefined, limits: {} } as const
    return { ...none, notes: this.#notes }
  }

  async run(...args: Parameters<Sandbox["run"]>): ReturnType<Sandbox["run"]> {
    try {
      if (this.#pooled !== undefined) return await this.#pooled.run(...args)
      throw new SandboxUnavailableError(this.#notes[0] ?? "there is no driver")
    } catch (error) {
      if (error instanceof SandboxUnavailableError) this.#openIfDue()
      throw error
    }
  }

  pool() {
    return this.#pooled?.pool() ?? {}
  }

  async panic(reason: string): Promise<PanicReport> {
    if (this.#pooled !== undefined) return this.#pooled.panic(reason)
    this.#panicState.set(reason)
    const report = await destroyInstance(this.#options.stateDirectory)
    return auditPanic(report, reason, this.#options.audit)
  }

  async resume(): Promise<void> {
    await this.#options.audit("resume", {})
    this.#panicState.clear()
  }

  isPanicked(): boolean {
    return this.#panicState.isOn()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#opening
    await this.#pooled?.close()
  }

  #openIfDue(): void {
    const { elapsedMs = () => performance.now() } = this.#options
    const nowMs = elapsedMs()
    const isDue = nowMs - this.#openedMs > RETRY_MS
    if (this.#isClosed || this.#opening !== undefined || !isDue) return
    this.#openedMs = nowMs
    this.#opening = this.#open()
      .catch((error) => {
        this.#notes = ["what was left from before could not be removed"]
        this.#options.onError(error)
      })
      .finally(() => {
        this.#opening = undefined
      })
  }

  async #open(): Promise<void> {
    const before = this.#pooled
    const own = { instance: this.#instance, isAlone: before === undefined }
    const { driver, notes } = await chooseDriver(this.#options, own)
    this.#notes = notes
    this.#report(driver === undefined && this.#options.mode !== "none" ? notes.join("; ") : "")
    if (driver !== undefined && before !== undefined && isSame(driver, before)) return
    // what is of this instance now cannot be a leftover while a pool is at work
    if (before === undefined) await driver?.reap()
    this.#pooled = driver && this.#pool(driver)
    await before?.close()
  }

  /** Once for each reason: the next search finds the same as a rule. */
  #report(problem: string): void {
    const isNew = problem !== "" && problem !== this.#reported
    this.#reported = problem
    if (isNew) this.#options.onError(new SandboxUnavailableError(problem))
  }

  #pool(driver: SandboxDriver): PooledSandbox {
    const destroyAll = () => destroyInstance(this.#options.stateDirectory)
    return new PooledSandbox({
      ...this.#options,
      ...{ driver, destroyAll, panicState: this.#panicState },
    })
  }
}

/** A failure that was only of the moment is no reason to throw away what is warm. */
function isSame(one: Pick<Sandbox, "describe">, other: Pick<Sandbox, "describe">): boolean {
  const identity = ({ driver, runtime, imageDigest }: SandboxDescription) =>
    JSON.stringify([driver, runtime, imageDigest])
  return identity(one.describe()) === identity(other.describe())
}

interface Choice {
  readonly driver: SandboxDriver | undefined
  readonly notes: readonly string[]
}

/** The first driver that starts, and why the better ones do not. */
async function chooseDriver(
  options: SandboxOptions,
  own: Omit<OpenerOptions, "notes">,
): Promise<Choice> {
  const { mode } = options
  if (mode === "none") return { driver: undefined, notes: ["SENTINEL_SANDBOX is none"] }
  const notes: string[] = []
  for (const name of ["docker", "bubblewrap"] as const) {
    if (mode !== "auto" && mode !== name) continue
    try {
      return { driver: await OPENERS[name](options, { ...own, notes }), notes }
    } catch (error) {
      const why = error instanceof SentinelError ? error.message : "an unexpected failure"
      notes.push(`${name}: ${why}`)
    }
  }
  return { driver: undefined, notes }
}

interface OpenerOptions {
  readonly instance: string
  /** No pool is at work: what is of this instance was left from before. */
  readonly isAlone: boolean
  readonly notes: readonly string[]
}
type Opener = (options: SandboxOptions, own: OpenerOptions) => Promise<SandboxDriver>

const OPENERS: Readonly<Record<"docker" | "bubblewrap", Opener>> = {
  async docker({ dockerHost, stateDirectory, image, audit }, own) {
    const engine = openDockerEngine(dockerHost)
    const { runtimes, securityOptions } = await engine.info()
    if (!securityOptions.some((option) => option.includes("seccomp"))) {
      throw new SandboxUnavailableError("the engine has no seccomp")
    }
    const { digest, reference } = await ensureImage(engine, await image())
    rememberEngine(stateDirectory, engine)
    const runtime = runtimes.includes("runsc") ? "runsc" : "runc"
    return createDockerDriver({ ...own, engine, audit, runtime, image: { reference, digest } })
  },
  async bubblewrap({ image, audit }, own) {
    const { digest, rootDirectory } = await image()
    const driver = createBubblewrapDriver({ ...own, rootDirectory, digest, audit })
    // a control group that was left would be in the way of the probe
    if (own.isAlone) await driver.reap()
    const probe = await driver.start("path_traversal", AbortSignal.timeout(RETRY_MS))
    await probe.destroy()
    return driver
  },
}
