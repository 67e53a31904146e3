import { describe, expect, test } from "bun:test"
import { HashMismatchError, WorkerFailedError } from "../../src/errors.ts"
import type { ExplainedVerdict, FetchedEvidence } from "../../src/events.ts"
import { judgeEvidence } from "../../src/operators/judge-evidence.ts"
import { DEFAULT_RETRY } from "../../src/stream/backoff.ts"
import { OperatorFailure } from "../../src/stream/failures.ts"
import { BatchRunner, isBatching } from "../../src/stream/run-batch.ts"
import { FakeClock } from "../support/fake-clock.ts"
import { listObserver } from "../support/list-sink.ts"
import { operatorContext } from "../support/operator-context.ts"

const evidence = (sessionId: string) => ({ sessionId }) as FetchedEvidence
const verdictOf = ({ sessionId }: FetchedEvidence) =>
  ({ idempotencyKey: sessionId }) as ExplainedVerdict

const FAILURE = new OperatorFailure("verify_integrity", 2, new HashMismatchError("sha256"))

/** Threads that fail over a session named "deadly" and leave one named "malformed" out. */
function run(sessions: readonly string[], { ready = true, starts = true } = {}) {
  const [here, there]: [string[], string[][]] = [[], []]
  const operator = judgeEvidence({
    threads: {
      count: 1,
      isReady: () => ready,
      start: () => Promise.resolve(starts),
      async judge(batch) {
        const names = batch.map(({ sessionId }) => sessionId)
        there.push(names)
        if (names.includes("deadly")) throw new WorkerFailedError(new Error("died"))
        return batch.map((each) => (each.sessionId === "malformed" ? undefined : verdictOf(each)))
      },
    },
    judgeHere(each) {
      here.push(each.sessionId)
      if (each.sessionId === "unverified") throw FAILURE
      return verdictOf(each)
    },
  })
  if (!isBatching(operator)) throw new Error("it takes batches")
  const runner = new BatchRunner(operator, {
    ...{ clock: new FakeClock(), observer: listObserver(), random: () => 0.5 },
    retry: DEFAULT_RETRY,
  })
  const outcomes = Promise.allSettled(
    sessions.map(async (each) => runner.run(evidence(each), operatorContext())),
  )
  return { outcomes, here, there }
}

describe("judgeEvidence", () => {
  test("judgeEvidence judges what comes alone in its own thread", async () => {
    const { outcomes, here, there } = run(["a"])
    await outcomes
    expect({ here, there }).toEqual({ here: ["a"], there: [] })
  })

  test("judgeEvidence hands over what comes together, and learns here why one of it fails", async () => {
    const { outcomes, here, there } = run(["a", "malformed", "b"])
    const values = (await outcomes).map((each) => "value" in each && each.value)
    expect(values).toEqual(["a", "malformed", "b"].map((name) => verdictOf(evidence(name))))
    expect({ here, there }).toEqual({ here: ["malformed"], there: [["a", "malformed", "b"]] })
  })

  test("judgeEvidence does not wait for threads that are not ready", async () => {
    const { outcomes, here, there } = run(["a", "b"], { ready: false })
    await outcomes
    expect({ here, there }).toEqual({ here: ["a", "b"], there: [] })
  })

  test("judgeEvidence fails with the operator inside that failed, and tries nothing again", async () => {
    const { outcomes, here } = run(["unverified"])
    const [failed] = await outcomes
    expect(failed?.status === "rejected" && failed.reason).toBe(FAILURE)
    expect(here).toEqual(["unverified"])
  })

  test("judgeEvidence tries what a thread died over once more, alone and in a thread", async () => {
    const { outcomes, here, there } = run(["a", "deadly"])
    const [well, deadly] = await outcomes
    expect(well?.status).toBe("fulfilled")
    expect(deadly?.status === "rejected" && deadly.reason.code).toBe("WORKER_FAILED")
    expect({ here, there }).toEqual({ here: [], there: [["a", "deadly"], ["a"], ["deadly"]] })
  })

  test("judgeEvidence blames no evidence where threads cannot start again", async () => {
    const { outcomes, here } = run(["a", "deadly"], { starts: false })
    expect((await outcomes).map(({ status }) => status)).toEqual(["fulfilled", "fulfilled"])
    expect(here).toEqual(["a", "deadly"])
  })
})
