import { afterEach, describe, expect, test } from "bun:test"
import { type WorkerPool, workerPool } from "../../src/compose/worker-pool.ts"
import { UnavailableError, WorkerFailedError } from "../../src/errors.ts"

type Task = { readonly word: "double" | "throw" | "wait"; readonly number: number }
const file = new URL("../support/pool-worker.ts", import.meta.url)
let pool: WorkerPool<Task, number>

function open(queueMax = 4) {
  pool = workerPool<Task, number>({ file, threads: 1, queueMax })
  return pool
}
afterEach(() => pool.close())

describe("workerPool", () => {
  test("run answers from a thread, task after task", async () => {
    const { run } = open()
    const tasks = [1, 2, 3].map((number) => run({ word: "double", number }))
    expect(await Promise.all(tasks)).toEqual([2, 4, 6])
  })

  test("what a task throws is a failure of the thread, which goes on", async () => {
    const { run } = open()
    await expect(run({ word: "throw", number: 1 })).rejects.toThrow(WorkerFailedError)
    expect(await run({ word: "double", number: 1 })).toBe(2)
  })

  test("beyond queueMax waiting tasks, run refuses at once", async () => {
    const { run } = open(2)
    const waiting = [1, 2, 3].map((number) => run({ word: "wait", number }))
    await expect(run({ word: "double", number: 1 })).rejects.toThrow(UnavailableError)
    expect(await Promise.all(waiting)).toEqual([1, 2, 3])
  })

  test("an aborted task ends with the reason of its signal", async () => {
    const { run } = open()
    const reason = new Error("too late")
    const task = run({ word: "wait", number: 1 }, AbortSignal.abort(reason))
    await expect(task).rejects.toBe(reason)
  })
})
