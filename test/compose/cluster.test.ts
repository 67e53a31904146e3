import { expect, test } from "bun:test"
import { Cluster } from "../../src/compose/cluster.ts"
import type { FromWorker, ToWorker } from "../../src/compose/cluster-messages.ts"
import type { WorkerProcess } from "../../src/compose/worker-process.ts"
import { createLogger } from "../../src/log.ts"
import type { TrafficReport } from "../../src/ml/serving/traffic-report.ts"
import type { TrafficPlan } from "../../src/model-traffic.ts"

const PLAN: TrafficPlan = { revision: 3, live: "m/1", lastGood: undefined, trial: undefined }

interface Started {
  readonly port: number
  readonly heard: ToWorker[]
  say(message: FromWorker): void
  die(): void
}

/** A cluster whose processes do what a test says, and whose waits are over at once. */
function cluster(listens: (index: number) => boolean = () => true) {
  const started: Started[] = []
  const spawn = (port: number, onMessage: (message: FromWorker) => void): WorkerProcess => {
    const exited = Promise.withResolvers<void>()
    const heard: ToWorker[] = []
    const index = started.length
    started.push({ port, heard, say: onMessage, die: () => exited.resolve() })
    queueMicrotask(() => {
      if (listens(index)) onMessage({ type: "listening", port: 4_000 })
      else exited.resolve()
    })
    return {
      pid: index,
      exited: exited.promise,
      kill: () => exited.resolve(),
      send(message) {
        heard.push(message)
        if (message.type !== "plan") exited.resolve()
        return true
      },
    }
  }
  const slept: number[] = []
  const clock = {
    nowMs: () => 0,
    sleep(ms: number, signal?: AbortSignal): Promise<void> {
      if (ms >= 5_000 && signal !== undefined) return new Promise(() => {})
      slept.push(ms)
      return Promise.resolve()
    },
  }
  const restarted: number[] = []
  const reported: (readonly [string, TrafficReport])[] = []
  const running = Cluster.start({
    ...{ count: 2, port: 0, spawn, clock, random: () => 0.999, plan: () => PLAN },
    log: createLogger({ write: () => undefined, nowMs: () => 0 }),
    onTraffic: (workerId, report) => reported.push([workerId, report]),
    onRestarted: () => restarted.push(1),
  })
  return { running, started, slept, restarted, reported }
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate)
}

test("Cluster lets the first worker choose the port of all, and tells each the plan", async () => {
  const { running, started } = cluster()
  const { port, size } = await running
  expect({ port, size }).toEqual({ port: 4_000, size: 2 })
  expect(started.map((each) => each.port)).toEqual([0, 4_000])
  for (const { heard } of started) expect(heard).toEqual([{ type: "plan", plan: PLAN }])
})

test("Cluster refuses to start where a worker does not come up", async () => {
  const { running } = cluster((index) => index === 0)
  await expect(running).rejects.toThrow("an API worker is unavailable")
})

test("Cluster starts one worker for each that dies, later the more have died", async () => {
  const { running, started, slept, restarted } = cluster()
  const { size } = await running
  expect(size).toBe(2)
  for (let death = 0; death < 4; death++) {
    started.at(-1)?.die()
    await settled()
  }
  expect(started.length).toBe(6)
  expect(restarted.length).toBe(4)
  expect(slept).toEqual([199, 399, 799, 1598])
})

test("Cluster tries one start at a time while workers die before they listen", async () => {
  const { running, started, restarted } = cluster((index) => index < 2 || index >= 7)
  await running
  started[1]?.die()
  await settled()
  expect(started.length).toBe(8)
  expect(restarted.length).toBe(1)
})

test("Cluster lets a worker take leave only after its successor listens", async () => {
  const { running, started } = cluster()
  const serving = await running
  await serving.restart()
  expect(started.length).toBe(4)
  expect(started.map(({ heard }) => heard.map(({ type }) => type))).toEqual([
    ["plan", "drain"],
    ["plan", "drain"],
    ["plan"],
    ["plan"],
  ])
  expect(serving.size).toBe(2)
})

test("Cluster leaves the former worker where its successor does not come up", async () => {
  const { running, started } = cluster((index) => index < 2)
  const serving = await running
  await serving.restart()
  expect(started[0]?.heard.map(({ type }) => type)).toEqual(["plan"])
  expect(serving.size).toBe(2)
})

test("Cluster takes what a worker has counted until its successor is there, from then on the successor's", async () => {
  const { running, started, reported } = cluster()
  const serving = await running
  const report = (revision: number) => ({ revision }) as TrafficReport
  started[0]?.say({ type: "traffic", report: report(1) })
  await serving.restart()
  // the former one takes leave of its clients for seconds, and reports all the while
  started[0]?.say({ type: "traffic", report: report(2) })
  started[2]?.say({ type: "traffic", report: report(3) })
  expect(reported).toEqual([
    ["0", report(1)],
    ["0", report(3)],
  ])
})
