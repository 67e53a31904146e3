import { SandboxPanickedError } from "../../src/errors.ts"
import type {
  OutsideMeasurement,
  Sandbox,
  SandboxDescription,
  SandboxRun,
} from "../../src/ports/sandbox.ts"
import type { TwinAnswer, TwinAttempt, TwinEffect, TwinRequest } from "../../src/twin-protocol.ts"

export const DESCRIPTION: SandboxDescription = {
  driver: "docker",
  runtime: "runc",
  imageDigest: `sha256:${"0".repeat(64)}`,
  limits: { memory_bytes: 1, timeout_ms: 1_000 },
  notes: [],
}

/** A run that nobody could object to. */
export const CALM: OutsideMeasurement = {
  wallMs: 12,
  cpuMs: 3,
  memoryPeakBytes: 1_000,
  exitCode: 0,
  timedOut: false,
  outOfMemory: false,
}

export interface FakeSandbox extends Sandbox {
  readonly requests: TwinRequest[]
  /** What the next runs throw, one each. */
  readonly failures: Error[]
}

/** What a twin says, what is seen of it, or both. */
type Behaviour = (request: TwinRequest) => {
  readonly answer?: Partial<TwinAnswer> | undefined
  readonly outside?: Partial<OutsideMeasurement>
}

/** A sandbox that isolates nothing and does what the test says: for what is built upon it. */
export function fakeSandbox(behave: Behaviour): FakeSandbox {
  const requests: TwinRequest[] = []
  const failures: Error[] = []
  let panicked = false
  return {
    requests,
    failures,
    describe: () => DESCRIPTION,
    async run(request): Promise<SandboxRun> {
      if (panicked) throw new SandboxPanickedError()
      const failure = failures.shift()
      if (failure !== undefined) throw failure
      requests.push(request)
      const { outside, ...behaviour } = behave(request)
      const given = "answer" in behaviour ? behaviour.answer : {}
      const answer = given && { ...emptyAnswer(request), ...given }
      return { answer, outside: { ...CALM, ...outside }, sandbox: DESCRIPTION }
    },
    pool: () => ({ sql_injection: { ready: 1, busy: 0, replaced: 0 } }),
    async panic() {
      panicked = true
      return { isClean: true, destroyed: 1, left: [] }
    },
    async resume() {
      panicked = false
    },
    isPanicked: () => panicked,
    close: async () => undefined,
  }
}

function emptyAnswer({ id, class: simulated }: TwinRequest): TwinAnswer {
  return { id, class: simulated, attempts: [], templatesTried: 13, controlAttempts: [] }
}

export function attempt(template: string, ...effects: readonly TwinEffect[]): TwinAttempt {
  return { template, program: `program of ${template}`, effects }
}

/** A twin that leaks its canary wherever the payload holds `needle`. */
export function leaksFor(needle: string, templates: readonly string[] = ["quoted"]): Behaviour {
  return ({ payload, canary, templates: wanted = templates }) => {
    const effect = { kind: "canary_leaked", detail: `row with ${canary}` } as const
    const tried = templates.filter((template) => wanted.includes(template))
    const attempts = payload.includes(needle) ? tried.map((name) => attempt(name, effect)) : []
    return { answer: { attempts } }
  }
}
