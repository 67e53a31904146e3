import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { EngineMeter } from "../../../src/compose/engine-meter.ts"
import { observeNothing } from "../../../src/compose/engine-observer.ts"
import { simulationSink } from "../../../src/compose/simulation/simulation-queues.ts"
import {
  createSimulationRunner,
  type SimulationRunner,
} from "../../../src/compose/simulation/simulation-runner.ts"
import { readConfig } from "../../../src/config.ts"
import { SandboxUnavailableError } from "../../../src/errors.ts"
import type { SuspectPayload } from "../../../src/events.ts"
import { createLogger } from "../../../src/log.ts"
import type { SimulationQueue } from "../../../src/ports/simulation-queue.ts"
import type { SimulationStore } from "../../../src/ports/simulation-store.ts"
import { RuleRefusedError } from "../../../src/rules/rule-refused-error.ts"
import type { CompletedJob, SimulationJob } from "../../../src/simulation-result.ts"
import { openSimulationQueue } from "../../../src/store/simulation-queue.ts"
import { openSimulationStore } from "../../../src/store/simulation-store.ts"
import { explainedVerdict } from "../../store/verdicts.ts"
import { type FakeSandbox, fakeSandbox, leaksFor } from "../../support/fake-sandbox.ts"
import { operatorContext } from "../../support/operator-context.ts"
import { until } from "../../support/until.ts"

/*
 * Goal: a task that was queued ends in one result, whatever happens to the sandbox and the process,
 * and never in a score that nobody has measured. Method: the real flow, queue and store; the sandbox
 * alone does what the test says.
 */

let directory: string
let queue: SimulationQueue
let store: SimulationStore
let runner: SimulationRunner | undefined
const audited: string[] = []
const completed: CompletedJob[] = []

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "simulation-runner-"))
  queue = openSimulationQueue(directory)
  store = openSimulationStore(directory)
  audited.length = 0
  completed.length = 0
})

afterEach(async () => {
  await runner?.drain(1_000)
  runner = undefined
  await queue.close()
  await store.close()
  await rm(directory, { recursive: true, force: true })
})

async function run(sandbox: FakeSandbox) {
  runner = createSimulationRunner({
    ...{ queues: { simulations: queue }, store, sandbox, observer: observeNothing },
    meter: new EngineMeter(),
    rules: {
      make: () => Promise.reject(new RuleRefusedError("a test makes none")),
      decide: () => Promise.reject(new RuleRefusedError("a test makes none")),
      onRefused: () => undefined,
    },
    config: readConfig({}),
    log: createLogger({ write: () => undefined, nowMs: () => 0 }),
    paths: { simulationLines: join(directory, "simulations.jsonl") },
    audit: {
      async append(eventType) {
        audited.push(eventType)
        return { ...entry, event_type: eventType }
      },
    },
    onCompleted: (job) => completed.push(job),
  })
  await runner.start()
}

const entry = { sequence: 1, timestamp: "", event_type: "", data: {}, previous: "", hash: "" }

function suspect(value: string, changed: Partial<SuspectPayload> = {}): SuspectPayload {
  return {
    ...{ payload_id: "p1", value, class: "sql_injection", confidence: 0.99 },
    ...{ location: "query:id", kind: "param" },
    ...changed,
  }
}

/** As the analysis hands a session on. */
function enqueue(eventId: string, suspects: readonly SuspectPayload[]) {
  const sink = simulationSink(queue)
  return sink.write({ ...explainedVerdict(eventId), suspects }, operatorContext())
}

const jobs = (): readonly SimulationJob[] => store.query({ limit: 100 }).items
const isSettled = async () => {
  const { ready, leased } = await queue.depth()
  return ready + leased === 0
}

describe("createSimulationRunner", () => {
  test("createSimulationRunner brings each distinct payload of a session to its result", async () => {
    await enqueue("event-1", [
      suspect("zz 1 OR 1=1 zz"),
      suspect("zz 1 OR 1=1 zz", { location: "query:other" }),
      suspect("calm"),
      suspect("", { truncated: true }),
    ])
    await run(fakeSandbox(leaksFor("OR 1=1")))
    await until(isSettled)
    const results = Object.fromEntries(jobs().map(({ payload, result }) => [payload.value, result]))
    expect(jobs().map(({ status }) => status)).toEqual(["completed", "completed", "completed"])
    expect(results["zz 1 OR 1=1 zz"]).toMatchObject({
      ...{ verdict: "exploit_possible", event_id: "event-1", session_id: "session-1" },
      ...{ minimised_payload: "OR 1=1", payload_id: "p1" },
    })
    expect(results.calm?.verdict).toBe("exploit_improbable")
    expect(results[""]).toMatchObject({ verdict: "inconclusive" })
    expect(store.query({ limit: 9, eventId: "event-1" }).items).toHaveLength(3)
    expect(audited).toEqual(["result", "result", "result"])
    const lines = (await readFile(join(directory, "simulations.jsonl"), "utf8")).trim().split("\n")
    expect(lines.map((line) => JSON.parse(line).status)).toHaveLength(3)
    expect(completed).toHaveLength(3)
  })

  test("createSimulationRunner keeps a task queued, without a score, while the sandbox is away", async () => {
    await enqueue("event-1", [suspect("1 OR 1=1")])
    const sandbox = fakeSandbox(leaksFor("OR 1=1"))
    const away = Array.from({ length: 4 }, () => new SandboxUnavailableError("Docker is away"))
    sandbox.failures.push(...away)
    await run(sandbox)
    await until(() => jobs()[0]?.status === "queued")
    expect(jobs()[0]).not.toHaveProperty("result")
    await until(async () => (await queue.depth()).ready === 1)
    await until(() => jobs()[0]?.status === "completed")
    expect(jobs()[0]?.result?.verdict).toBe("exploit_possible")
  }, 20_000)

  test("createSimulationRunner takes no task after a panic, and all of them after resume", async () => {
    const sandbox = fakeSandbox(leaksFor("OR 1=1"))
    await sandbox.panic("test")
    await enqueue("event-1", [suspect("1 OR 1=1")])
    await run(sandbox)
    await Bun.sleep(50)
    expect(await queue.depth()).toEqual({ ready: 1, leased: 0, dropped: 0 })
    await sandbox.resume()
    runner?.wake()
    await until(isSettled)
    expect(jobs()[0]?.result?.verdict).toBe("exploit_possible")
  })

  test("createSimulationRunner says failed where it failed itself, and goes on", async () => {
    const sandbox = fakeSandbox(leaksFor("OR 1=1"))
    sandbox.failures.push(new TypeError("a bug, with /secret/paths"))
    await enqueue("event-1", [suspect("1 OR 1=1")])
    await run(sandbox)
    await until(isSettled)
    expect(jobs()[0]).toMatchObject({
      status: "failed",
      error: { code: "INTERNAL", message: "internal error" },
    })
    await enqueue("event-2", [suspect("2 OR 1=1")])
    runner?.wake()
    await until(() => jobs()[0]?.status === "completed")
  })

  test("createSimulationRunner runs nothing twice that has a result, but publishes it again", async () => {
    const sandbox = fakeSandbox(leaksFor("OR 1=1"))
    await enqueue("event-1", [suspect("1 OR 1=1")])
    await run(sandbox)
    await until(isSettled)
    const runs = sandbox.requests.length
    await runner?.drain(1_000)
    // a queue that has forgotten it, as a topic does after a restart
    await queue.close()
    await rm(join(directory, "simulations.mdb"))
    queue = openSimulationQueue(directory)
    await enqueue("event-1", [suspect("1 OR 1=1")])
    await run(sandbox)
    await until(isSettled)
    expect(sandbox.requests).toHaveLength(runs)
    const lines = (await readFile(join(directory, "simulations.jsonl"), "utf8")).trim().split("\n")
    expect(lines).toHaveLength(2)
    expect(lines[0]).toBe(lines[1] ?? "")
  })
})
