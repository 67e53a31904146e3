import type { Chart } from "../../src/commands/evaluation/chart.ts"
import { type Row, row } from "../harness.ts"
import type { ClosedLoop, Scale } from "./closed-loop.ts"
import { failuresOf, type OpenLoopResult, runOpenLoop } from "./open-loop.ts"
import { median } from "./pairs.ts"
import type { ServerProcess } from "./process.ts"

const CONNECTIONS = 256
const SHARES = [0.25, 0.75, 0.9] as const
const HALF = 0.5
const UNLOADED = 0.05
const OVERLOAD = 3

interface Both {
  readonly sentinel: ServerProcess
  readonly bare: ServerProcess
}

interface OpenLoopOptions extends Scale {
  readonly peaks: ClosedLoop["peaks"]
  progress(line: string): void
}

export interface OpenLoop {
  readonly rows: readonly Row[]
  readonly chart: Chart
}

/** Requests that come at a rate, whatever the server does: below saturation, and three times it. */
export async function openLoopRows(servers: Both, options: OpenLoopOptions): Promise<OpenLoop> {
  const half = await halfOfSaturation(servers, options)
  return {
    rows: [
      ...half.rows,
      ...(await sameRateRows(servers, options)),
      ...(await rateRows(servers.sentinel, options)),
      ...(await overloadRows(servers.sentinel, options)),
    ],
    chart: half.chart,
  }
}

async function halfOfSaturation({ sentinel, bare }: Both, options: OpenLoopOptions) {
  const { peaks, rounds, progress } = options
  progress("half of saturation")
  const runs: { sentinel: OpenLoopResult; bare: OpenLoopResult }[] = []
  for (let round = 0; round < rounds; round++) {
    runs.push({
      bare: await atRate(bare, peaks.bare * HALF, options),
      sentinel: await atRate(sentinel, peaks.sentinel * HALF, options),
    })
  }
  const p99 = (of: keyof Both) => median(runs.map((run) => percentile(run[of], 99)))
  const failures = runs.reduce((sum, run) => sum + failuresOf(run.sentinel), 0)
  const rows = [
    row({
      ...{ name: "half of saturation: p99, sentinel / bare", unit: "x" },
      value: median(runs.map((run) => percentile(run.sentinel, 99) / percentile(run.bare, 99))),
      goal: { of: "value", below: 1.2 },
    }),
    row({
      ...{ name: "half of saturation: p99 beside bare", unit: "ms" },
      ...{ value: p99("sentinel"), baseline: p99("bare") },
    }),
    failedRow("half of saturation", failures),
  ]
  return { rows, chart: distribution(runs) }
}

/**
 * The CPU of both servers for the same requests per second. In a closed loop the bare server's client is
 * never done and never sleeps, while ours is woken for each answer, at the expense of the server.
 */
async function sameRateRows({ sentinel, bare }: Both, options: OpenLoopOptions) {
  const { peaks, rounds, progress } = options
  const rate = peaks.sentinel * HALF
  progress("both at the same rate")
  const runs: { sentinel: number; bare: number }[] = []
  for (let round = 0; round < rounds; round++) {
    runs.push({
      bare: await cpuEach(bare, rate, options),
      sentinel: await cpuEach(sentinel, rate, options),
    })
  }
  const name = "uncached, both at the same rate: CPU of the server"
  return [
    row({
      ...{ name: `${name}, sentinel / bare`, unit: "x" },
      value: median(runs.map((run) => run.sentinel / run.bare)),
      goal: { of: "value", below: 1.3 },
    }),
    row({
      ...{ name: `${name} beside bare`, unit: "us/req" },
      value: median(runs.map((run) => run.sentinel)),
      baseline: median(runs.map((run) => run.bare)),
    }),
  ]
}

/** Microseconds of the server for each answer 200. */
async function cpuEach(server: ServerProcess, rate: number, options: Scale): Promise<number> {
  const before = server.cpuMicroseconds()
  const { statuses } = await atRate(server, rate, options)
  return (server.cpuMicroseconds() - before) / (statuses["200"] ?? Number.NaN)
}

async function rateRows(sentinel: ServerProcess, options: OpenLoopOptions) {
  const rows: Row[] = []
  for (const share of SHARES) {
    const rate = options.peaks.sentinel * share
    options.progress(`${share * 100}% of saturation`)
    const result = await atRate(sentinel, rate, options)
    const name = `open loop, ${share * 100}% of saturation`
    rows.push(
      row({ name: `${name}: p50`, value: percentile(result, 50), unit: "ms" }),
      row({ name: `${name}: p99`, value: percentile(result, 99), unit: "ms" }),
      failedRow(name, failuresOf(result)),
    )
  }
  return rows
}

/** What counts is what the server does with the requests that reach it: times are from the send. */
async function overloadRows(
  sentinel: ServerProcess,
  options: OpenLoopOptions,
): Promise<readonly Row[]> {
  const { peaks, rounds, progress } = options
  progress("three times saturation")
  const runs: { share: number; slowdown: number; refused: number; broken: number }[] = []
  for (let round = 0; round < Math.ceil(rounds / 3); round++) {
    const calm = await atRate(sentinel, peaks.sentinel * UNLOADED, options)
    const loaded = await atRate(sentinel, peaks.sentinel * OVERLOAD, options)
    const goodput = (loaded.statuses["200"] ?? 0) / options.seconds
    const refused = loaded.statuses["429"] ?? 0
    runs.push({
      share: goodput / peaks.sentinel,
      slowdown: fromSend(loaded, 99) / fromSend(calm, 99),
      ...{ refused, broken: failuresOf(loaded) - refused },
    })
  }
  const total = (of: "refused" | "broken") => runs.reduce((sum, run) => sum + run[of], 0)
  return [
    row({
      ...{ name: "3x overload: goodput / peak", unit: "x" },
      value: median(runs.map(({ share }) => share)),
      goal: { of: "value", least: 0.9 },
    }),
    row({
      ...{ name: "3x overload: p99 of the answers 200 / unloaded", unit: "x" },
      value: median(runs.map(({ slowdown }) => slowdown)),
      goal: { of: "value", below: 5 },
    }),
    row({ name: "3x overload: answers 429", value: total("refused"), unit: "requests" }),
    failedRow("3x overload, but for 429", total("broken")),
  ]
}

function failedRow(name: string, failures: number): Row {
  const goal = { of: "value", below: 1 } as const
  return row({ name: `${name}: failed requests`, value: failures, unit: "requests", goal })
}

function atRate(server: ServerProcess, rate: number, { seconds, textsFile }: Scale) {
  return runOpenLoop(server, { rate, seconds, textsFile, connections: CONNECTIONS })
}

function percentile({ millisecondsFromSchedule: times }: OpenLoopResult, at: number): number {
  return times[String(at)] ?? Number.NaN
}

function fromSend({ millisecondsFromSend: times }: OpenLoopResult, at: number): number {
  return times[String(at)] ?? Number.NaN
}

/** The median over the rounds of each percentile; to the right the rarer ones. */
function distribution(runs: readonly Readonly<Record<keyof Both, OpenLoopResult>>[]): Chart {
  const points = (of: keyof Both) =>
    Object.keys(runs[0]?.[of].millisecondsFromSchedule ?? {})
      .map(Number)
      .sort((one, other) => one - other)
      .map((at) => [100 / (100 - at), median(runs.map((run) => percentile(run[of], at)))] as const)
  return {
    title: "Latency at half of saturation, new payloads",
    x: {
      ...{ label: "percentile of the requests", from: 1, to: 10_000, isLogarithmic: true },
      ticks: [1, 2, 10, 100, 1_000, 10_000],
      format: (rarity) => `${Number((100 - 100 / rarity).toFixed(2))}`,
    },
    y: {
      ...{ label: "milliseconds from the time it was due", from: 0.01, to: 1_000 },
      ...{ isLogarithmic: true, ticks: [0.01, 0.1, 1, 10, 100, 1_000], format: String },
    },
    series: [
      { name: "Sentinel", points: points("sentinel") },
      { name: "bare Bun.serve", points: points("bare"), isReference: true },
    ],
  }
}
