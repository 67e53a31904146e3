import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { renderChart } from "../src/commands/evaluation/chart.ts"
import { UnavailableError } from "../src/errors.ts"
import { type Row, row, type SuiteOptions } from "./harness.ts"
import { changeRows } from "./serving/changes.ts"
import { closedLoopRows, type Scale, type Servers } from "./serving/closed-loop.ts"
import { bare, elysia, fastApi, sentinel } from "./serving/commands.ts"
import { installFastApi } from "./serving/install-peer.ts"
import { runK6 } from "./serving/k6.ts"
import { openLoopRows } from "./serving/open-loop-rows.ts"
import { startServer } from "./serving/process.ts"
import { serviceTimeRows } from "./serving/service-time.ts"
import { escapedLines, loadTexts } from "./serving/texts.ts"

export const services = ["k6", "wrk"] as const

const PICTURE = resolve(import.meta.dir, "results/serving-latency.svg")
const SEED_RATE = 100
const SEED_SECONDS = 10
const SEED_GOALS_MS = { cached: 1, uncached: 10 } as const

/**
 * predict-payload under load, beside servers that answer a constant and the stack that people would
 * have otherwise: one core for the server, one for the load, in turns within one run.
 */
export async function run(options: SuiteOptions): Promise<readonly Row[]> {
  for (const tool of ["wrk", "taskset"]) {
    if (Bun.which(tool) === null) throw new UnavailableError(tool)
  }
  const directory = await mkdtemp(join(tmpdir(), "sentinel-bench-"))
  try {
    const textsFile = join(directory, "texts")
    await Bun.write(textsFile, escapedLines(loadTexts()))
    return await measure(options, { rounds: options.quick ? 3 : 11, seconds: 1, textsFile })
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function measure(options: SuiteOptions, scale: Scale): Promise<readonly Row[]> {
  await using stack = new AsyncDisposableStack()
  const servers = await startServers(stack, options)
  const { progress } = options
  const closed = await closedLoopRows(servers, scale, progress)
  const open = await openLoopRows(servers, { ...scale, peaks: closed.peaks, progress })
  await Bun.write(PICTURE, renderChart(open.chart))
  return [
    ...closed.rows,
    ...open.rows,
    ...(await seedTargetRows(servers, scale, options)),
    ...(await serviceTimeRows(scale, progress)),
    // to train takes longer than everything else in a quick run
    ...(options.quick ? [] : await changeRows({ ...scale, peak: closed.peaks.sentinel, progress })),
  ]
}

/** FastAPI is left out of a quick run: to train its forest alone takes longer. */
async function startServers(
  stack: AsyncDisposableStack,
  { quick, env, progress }: SuiteOptions,
): Promise<Servers> {
  progress("starting the servers")
  const start = async (command: Parameters<typeof startServer>[0]) =>
    stack.use(await startServer(command))
  const peer = quick ? undefined : await installFastApi({ env, progress })
  return {
    sentinel: await start(sentinel),
    bare: await start(bare),
    elysia: await start(elysia),
    fastApi: peer && (await start(fastApi(peer))),
  }
}

/** What users were promised, as k6 sees it. */
async function seedTargetRows(
  servers: Pick<Servers, "sentinel" | "bare">,
  { textsFile }: Scale,
  { env, progress }: SuiteOptions,
): Promise<readonly Row[]> {
  const rows: Row[] = []
  const load = { binary: env.K6_BIN ?? "k6", textsFile, rate: SEED_RATE, seconds: SEED_SECONDS }
  for (const mode of ["cached", "uncached"] as const) {
    progress(`k6, ${mode}`)
    const constant = await runK6(servers.bare, { ...load, mode })
    const { p50, p99, failed, dropped } = await runK6(servers.sentinel, { ...load, mode })
    const name = `k6, ${SEED_RATE} req/s, ${mode}`
    const goal = { of: "value", below: SEED_GOALS_MS[mode] } as const
    rows.push(
      row({ name: `${name}: p50`, value: p50, unit: "ms", baseline: constant.p50 }),
      row({ name: `${name}: p99`, value: p99, unit: "ms", baseline: constant.p99, goal }),
      row({
        ...{ name: `${name}: failed requests`, value: failed + dropped, unit: "requests" },
        goal: { of: "value", below: 1 },
      }),
    )
  }
  return rows
}
