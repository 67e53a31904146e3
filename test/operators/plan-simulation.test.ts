import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { MalformedError, SentinelError } from "../../src/errors.ts"
import type { SuspectPayload, Verdict } from "../../src/events.ts"
import { planSimulation, runningJobs } from "../../src/operators/plan-simulation.ts"
import type { SimulationTask } from "../../src/ports/simulation-queue.ts"
import type { SimulationJob } from "../../src/simulation-result.ts"
import { explainedVerdict } from "../store/verdicts.ts"
import { operatorContext } from "../support/operator-context.ts"

const suspect: SuspectPayload = {
  ...{ payload_id: "p1", value: "1 OR 1=1", class: "sql_injection", confidence: 0.9 },
  ...{ location: "query:id", kind: "param" },
}

function taskOf(changed: Partial<SimulationTask> = {}): SimulationTask {
  const { verdict } = explainedVerdict("event-1")
  const named = { eventId: "event-1", sessionId: "session-1", priority: 5, eventTimeMs: 0 }
  return { ...named, verdict, suspects: [suspect], ...changed }
}

async function planned(task: unknown, known: readonly SimulationJob[] = []) {
  const written: SimulationJob[] = []
  const store = {
    byId: (id: string) => known.find((job) => job.simulation_id === id),
    put: async (jobs: readonly SimulationJob[]) => void written.push(...jobs),
  }
  const plan = planSimulation({ store, clock: { nowMs: () => 1_000 }, taskTimeoutMs: 500 })
  const { record, ...context } = operatorContext()
  const value = typeof task === "string" ? task : JSON.stringify(task)
  const result = await plan.process(
    { ...record, value: Buffer.from(value) },
    { record, ...context },
  )
  return { ...result, written }
}

describe("planSimulation", () => {
  test("planSimulation names a payload the same each time, and says that it runs", async () => {
    const first = await planned(taskOf())
    const second = await planned(taskOf())
    expect(first.subjects).toEqual(second.subjects)
    expect(first).toMatchObject({ startedMs: 1_000, deadlineMs: 1_500 })
    expect(first.written).toMatchObject([
      {
        status: "running",
        event_id: "event-1",
        session_id: "session-1",
        payload: { value: "1 OR 1=1" },
      },
    ])
    const other = await planned(taskOf({ eventId: "event-2" }))
    expect(other.subjects[0]?.simulationId).not.toBe(first.subjects[0]?.simulationId ?? "")
  })

  test("planSimulation takes equal payloads of one kind once", async () => {
    const suspects = [
      suspect,
      { ...suspect, location: "query:other" },
      { ...suspect, kind: "cookie" },
      { ...suspect, class: "xss" },
    ]
    const { subjects } = await planned({ ...taskOf(), suspects })
    expect(subjects).toHaveLength(3)
  })

  test("planSimulation runs nothing that has a result, and hands the result on", async () => {
    const [job] = (await planned(taskOf())).written
    const completed = { ...job, status: "completed" } as SimulationJob
    const { subjects, known, written } = await planned(taskOf(), [completed])
    expect({ subjects, written }).toEqual({ subjects: [], written: [] })
    expect(known).toMatchObject([
      { subject: { value: "1 OR 1=1", location: "query:id" }, job: completed as never },
    ])
  })

  test("planSimulation takes the id of what a person asked for from its task", async () => {
    const { verdict: _, ...asked } = taskOf({ eventId: "sim-1" })
    const { subjects, written } = await planned(asked)
    expect(subjects).toMatchObject([{ simulationId: "sim-1", eventId: undefined }])
    expect(written[0]).not.toHaveProperty("event_id")
  })

  test("planSimulation masks credentials in what is stored", async () => {
    const secret = { ...suspect, value: "password=hunter2 ' OR 1=1--" }
    const { written } = await planned(taskOf({ suspects: [secret] }))
    expect(written[0]?.payload.value).not.toContain("hunter2")
    expect(written[0]?.payload.value).toContain("' OR 1=1--")
  })

  test("planSimulation plans nothing for tasks of earlier versions", async () => {
    const { suspects: _, ...old } = taskOf()
    expect((await planned(old)).subjects).toEqual([])
  })

  test("planSimulation names the field of a task that no Sentinel can have queued", async () => {
    const broken = [
      ["{", "task"],
      [{ ...taskOf(), eventId: 1 }, "eventId"],
      [{ ...taskOf(), suspects: [{ ...suspect, class: "benign" }] }, "suspects.0.class"],
      [{ ...taskOf(), suspects: [suspect, { ...suspect, value: 1 }] }, "suspects.1.value"],
      [{ ...taskOf(), suspects: [7] }, "suspects.0"],
    ] as const
    for (const [task, field] of broken) {
      const failure = await planned(task).catch((error) => error)
      expect(failure).toBeInstanceOf(MalformedError)
      expect(failure.field).toBe(field)
    }
  })

  test("planSimulation fails on a topic's messages only as a SentinelError, and runningJobs never", async () => {
    const verdict = fc.constant({} as Verdict)
    const near = fc.record(
      { eventId: fc.string(), sessionId: fc.string(), verdict, suspects: fc.anything() },
      { requiredKeys: [] },
    )
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.json(), near), async (task) => {
        const failure = await planned(task).catch((error) => error)
        if (failure instanceof Error) expect(failure).toBeInstanceOf(SentinelError)
        const text = typeof task === "string" ? task : JSON.stringify(task)
        expect(Array.isArray(runningJobs(Buffer.from(text), 0))).toBe(true)
      }),
    )
  })
})
