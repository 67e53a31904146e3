import { expect, test } from "bun:test"
import type { ToWorker } from "../../src/compose/cluster-messages.ts"
import { ClusterMetrics } from "../../src/compose/cluster-metrics.ts"
import type { WorkerProcess } from "../../src/compose/worker-process.ts"
import { createTelemetry } from "../../src/telemetry.ts"

function telemetry() {
  const created = createTelemetry()
  created.close()
  return created
}

/** A worker of this process, which answers as one behind a pipe does. */
function worker(metrics: ClusterMetrics) {
  const counts = telemetry()
  const process: WorkerProcess = {
    pid: 1,
    exited: new Promise(() => {}),
    kill: () => undefined,
    send(message: ToWorker) {
      if (message.type === "measure") {
        void counts
          .snapshot()
          .then((snapshot) =>
            metrics.hear(process, { type: "metrics", request: 1, metrics: snapshot }),
          )
      }
      return true
    },
  }
  metrics.joined(process)
  return { process, counts }
}

async function requests(metrics: ClusterMetrics, own = telemetry()): Promise<number> {
  const text = await metrics.render(await own.snapshot())
  const series = 'cerberus_requests_total{service="sentinel"} '
  const line = text.split("\n").find((each) => each.startsWith(series))
  return Number(line?.slice(series.length))
}

test("ClusterMetrics adds up what all workers and the owner have counted", async () => {
  const metrics = new ClusterMetrics()
  const [one, two, own] = [worker(metrics), worker(metrics), telemetry()]
  own.requested()
  one.counts.requested()
  for (let count = 0; count < 5; count++) two.counts.requested()
  expect(await requests(metrics, own)).toBe(7)
  expect(await requests(metrics, own)).toBe(7)
})

test("ClusterMetrics never shows less after a worker is gone", async () => {
  const metrics = new ClusterMetrics()
  const [one, two] = [worker(metrics), worker(metrics)]
  one.counts.requested()
  two.counts.requested()
  expect(await requests(metrics)).toBe(2)
  metrics.left(one.process)
  expect(await requests(metrics)).toBe(2)
  metrics.left(two.process)
  const third = worker(metrics)
  third.counts.requested()
  expect(await requests(metrics)).toBe(3)
})

test("ClusterMetrics shows the gauges of a worker that is gone no longer", async () => {
  const metrics = new ClusterMetrics()
  const { process, counts } = worker(metrics)
  counts.watchWorkers(() => 3)
  const own = await telemetry().snapshot()
  expect(await metrics.render(own)).toContain("cerberus_sentinel_api_workers 3")
  metrics.left(process)
  expect(await metrics.render(own)).toContain("cerberus_sentinel_api_workers 0")
})
