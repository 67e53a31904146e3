import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { destroyInstance } from "../src/sandbox/destroy-instance.ts"
import { SIMULATED_CLASSES, type SimulatedClass } from "../src/twin-protocol.ts"
import { type Measured, type Row, row, type SuiteOptions } from "./harness.ts"
import { leftBehind } from "./sandbox/left-behind.ts"
import {
  type BenchDriver,
  type BenchSandbox,
  openBenchSandbox,
  payloadsOf,
  simulate,
} from "./sandbox/simulate.ts"

export const services = ["docker", "bubblewrap"] as const

/** Warm p50 in milliseconds and simulations a second that a class has to reach. */
const GOALS: Readonly<Record<SimulatedClass, { p50Ms?: number; perSecond: number }>> = {
  sql_injection: { p50Ms: 20, perSecond: 50 },
  path_traversal: { p50Ms: 20, perSecond: 50 },
  command_injection: { perSecond: 30 },
  xss: { perSecond: 5 },
}
/** One for each of the two processors that the goals are about. */
const BUSY_MAX = 2
const PANIC_CONTAINERS = 20
const PANIC_GOAL_S = 1.5
const SPINNING = "; while :; do :; done"

/** What a simulation costs in each driver, what a panic takes, and what a thousand runs leave. */
export async function run(options: SuiteOptions): Promise<readonly Row[]> {
  const rows: Row[] = []
  for (const driver of ["docker", "bubblewrap"] as const) {
    for (const twinClass of SIMULATED_CLASSES) {
      options.progress(`${twinClass} in ${driver}`)
      rows.push(
        ...(await withSandbox({ driver, ...options }, (own) => classRows(own, twinClass, options))),
      )
    }
  }
  options.progress(`panic with ${PANIC_CONTAINERS} busy containers`)
  rows.push(
    ...(await withSandbox({ driver: "docker", busyMax: PANIC_CONTAINERS, ...options }, panicRows)),
  )
  rows.push(
    ...(await withSandbox({ driver: "docker", ...options }, (own) => endurance(own, options))),
  )
  return rows
}

async function withSandbox(
  options: SuiteOptions & { readonly driver: BenchDriver; readonly busyMax?: number },
  measure: (own: BenchSandbox) => Promise<readonly Measured[]>,
): Promise<readonly Row[]> {
  const stateDirectory = await mkdtemp(join(tmpdir(), "sentinel-bench-"))
  const own = await openBenchSandbox({ busyMax: BUSY_MAX, ...options, stateDirectory })
  try {
    return (await measure(own)).map(row)
  } finally {
    await own.sandbox.close()
    await destroyInstance(stateDirectory)
    await rm(stateDirectory, { recursive: true, force: true })
  }
}

async function classRows(
  own: BenchSandbox,
  twinClass: SimulatedClass,
  { quick }: SuiteOptions,
): Promise<readonly Measured[]> {
  const payloads = await payloadsOf(twinClass)
  const timed = (number: number) =>
    simulate(own.sandbox, twinClass, payloads[number % payloads.length] ?? "")
  const coldMs = await timed(0)
  const runs = quick ? 12 : 60
  const warm: number[] = []
  for (let number = 0; number < runs; number++) warm.push(await timed(number))
  const began = performance.now()
  // as many at once as the sandbox lets run
  await Promise.all(Array.from({ length: runs }, (_, number) => timed(number)))
  const perSecond = runs / ((performance.now() - began) / 1_000)
  const { p50Ms, perSecond: least } = GOALS[twinClass]
  const name = `${twinClass}, ${own.driver}`
  return [
    { name: `${name}: first answer, cold`, value: coldMs, unit: "ms" },
    {
      ...{ name: `${name}: answer, warm p50`, value: median(warm), unit: "ms" },
      ...(p50Ms !== undefined && { goal: { of: "value", below: p50Ms } as const }),
    },
    { name: `${name}: simulations`, value: perSecond, unit: "1/s", goal: { of: "value", least } },
  ]
}

async function panicRows(own: BenchSandbox): Promise<readonly Measured[]> {
  const runs = Array.from({ length: PANIC_CONTAINERS }, () =>
    simulate(own.sandbox, "command_injection", SPINNING).catch(() => undefined),
  )
  const isBusy = () => own.sandbox.pool().command_injection?.busy === PANIC_CONTAINERS
  while (!isBusy() || (await leftBehind(own)).containers < PANIC_CONTAINERS) await Bun.sleep(20)
  const began = performance.now()
  const report = await own.sandbox.panic("bench")
  const seconds = (performance.now() - began) / 1_000
  await Promise.all(runs)
  const name = `panic with ${PANIC_CONTAINERS} busy containers`
  return [
    { name, value: seconds, unit: "s", goal: { of: "value", below: PANIC_GOAL_S } },
    { name: `${name}: left`, value: report.left.length, unit: "", goal: { of: "value", below: 1 } },
  ]
}

/** A thousand simulations, one after the other, of every class in turn. */
async function endurance(
  own: BenchSandbox,
  { quick, progress }: SuiteOptions,
): Promise<readonly Measured[]> {
  const runs = quick ? 40 : 1_000
  const payloads = await Promise.all(SIMULATED_CLASSES.map(payloadsOf))
  let unanswered = 0
  const step = async (number: number) => {
    const turn = number % SIMULATED_CLASSES.length
    const texts = payloads[turn] ?? []
    const twinClass = SIMULATED_CLASSES[turn] ?? "sql_injection"
    const text = texts[number % texts.length] ?? ""
    await simulate(own.sandbox, twinClass, text).catch(() => unanswered++)
  }
  for (let number = 0; number < runs / 10; number++) await step(number)
  const before = residentMib()
  for (let number = 0; number < runs; number++) {
    if (number % 50 === 0) progress(`${number} of ${runs} simulations in a row`)
    await step(number)
  }
  const grown = residentMib() - before
  await own.sandbox.close()
  const { containers, processes, mounts, groups } = await leftBehind(own)
  const name = `${runs} simulations in a row`
  const none = { of: "value", below: 1 } as const
  return [
    { name: `${name}: killed without an answer`, value: unanswered, unit: "" },
    { name: `${name}: memory grown`, value: grown, unit: "MiB", goal: { of: "value", below: 64 } },
    { name: `${name}: containers left`, value: containers, unit: "", goal: none },
    { name: `${name}: processes left`, value: processes, unit: "", goal: none },
    { name: `${name}: mounts left`, value: mounts, unit: "", goal: none },
    { name: `${name}: control groups left`, value: groups, unit: "", goal: none },
  ]
}

function residentMib(): number {
  Bun.gc(true)
  return process.memoryUsage.rss() / 2 ** 20
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0
}
