import { type Row, row } from "../harness.ts"
import { medianOf, medianRatio, type Rounds, runRounds } from "./pairs.ts"
import type { ServerProcess } from "./process.ts"
import { type LoadRun, type Mode, runWrk } from "./wrk.ts"

export interface Scale {
  readonly rounds: number
  /** Of one run of one server. */
  readonly seconds: number
  readonly textsFile: string
}

interface Scenario {
  readonly name: string
  readonly mode: Mode
  readonly connections: number
  /** Goals of sentinel beside the bare server, where there are any. */
  readonly leastRatio?: number
  readonly cpuRatioBelow?: number
}

const SCENARIOS: readonly Scenario[] = [
  {
    ...{ name: "uncached, 16 connections", mode: "uncached", connections: 16 },
    ...{ leastRatio: 0.75, cpuRatioBelow: 1.3 },
  },
  { name: "cached, 16 connections", mode: "cached", connections: 16, leastRatio: 0.9 },
  { name: "mixed (80% hits), 16 connections", mode: "mixed", connections: 16 },
  { name: "batch of 100, 16 connections", mode: "batch", connections: 16 },
  { name: "uncached, 64 connections", mode: "uncached", connections: 64 },
]
const FAST_API_GOAL = 135

export interface Servers {
  readonly sentinel: ServerProcess
  readonly bare: ServerProcess
  readonly elysia: ServerProcess
  readonly fastApi: ServerProcess | undefined
}

export interface ClosedLoop {
  readonly rows: readonly Row[]
  /** Answers per second that each server reached on new payloads. */
  readonly peaks: { readonly sentinel: number; readonly bare: number }
}

/** Every scenario of a closed loop: as fast as the connections allow. */
export async function closedLoopRows(
  servers: Servers,
  scale: Scale,
  progress: (line: string) => void,
): Promise<ClosedLoop> {
  const rows: Row[] = []
  const peaks = { sentinel: 0, bare: 0 }
  for (const scenario of SCENARIOS) {
    progress(scenario.name)
    const rounds = await runScenario(scenario, servers, scale)
    rows.push(...scenarioRows(scenario, rounds))
    if (scenario.mode !== "uncached") continue
    for (const name of ["sentinel", "bare"] as const) {
      peaks[name] = Math.max(peaks[name], medianOf(rounds, name, perSecond))
    }
  }
  const [uncached] = SCENARIOS
  if (servers.fastApi !== undefined && uncached !== undefined) {
    progress("FastAPI")
    rows.push(...(await fastApiRows(uncached, { ...servers, fastApi: servers.fastApi }, scale)))
  }
  return { rows, peaks }
}

function runScenario(scenario: Scenario, servers: Servers, scale: Scale) {
  const load = { ...scale, ...scenario }
  return runRounds(scale.rounds, {
    bare: () => runWrk(servers.bare, load),
    elysia: () => runWrk(servers.elysia, load),
    sentinel: () => runWrk(servers.sentinel, load),
  })
}

type Name = "bare" | "elysia" | "sentinel"

function scenarioRows(scenario: Scenario, rounds: Rounds<Name>): readonly Row[] {
  const { name, leastRatio, cpuRatioBelow } = scenario
  const ofBare = ["sentinel", "bare"] as const
  const failures = rounds.reduce((sum, round) => sum + round.sentinel.failed, 0)
  const at = (percentile: string) => (run: LoadRun) => run.percentiles[percentile] ?? Number.NaN
  const beside = (measure: (run: LoadRun) => number) => ({
    value: medianOf(rounds, "sentinel", measure),
    baseline: medianOf(rounds, "bare", measure),
  })
  return [
    row({
      ...{ name: `${name}: req/s, sentinel / bare`, unit: "x" },
      value: medianRatio(rounds, ofBare, perSecond),
      ...(leastRatio !== undefined && { goal: { of: "value", least: leastRatio } }),
    }),
    row({
      ...{ name: `${name}: CPU of the server, sentinel / bare`, unit: "x" },
      value: medianRatio(rounds, ofBare, cpuEach),
      ...(cpuRatioBelow !== undefined && { goal: { of: "value", below: cpuRatioBelow } }),
    }),
    row({
      ...{ name: `${name}: req/s, bare Elysia / bare`, unit: "x" },
      value: medianRatio(rounds, ["elysia", "bare"], perSecond),
    }),
    row({ name: `${name}: req/s beside bare`, unit: "req/s", ...beside(perSecond) }),
    row({ name: `${name}: CPU of the server beside bare`, unit: "us/req", ...beside(cpuEach) }),
    row({ name: `${name}: p50 beside bare`, unit: "us", ...beside(at("50")) }),
    row({ name: `${name}: p99 beside bare`, unit: "us", ...beside(at("99")) }),
    row({
      ...{ name: `${name}: failed requests`, value: failures, unit: "requests" },
      goal: { of: "value", below: 1 },
    }),
  ]
}

async function fastApiRows(
  scenario: Scenario,
  servers: Servers & { readonly fastApi: ServerProcess },
  scale: Scale,
): Promise<readonly Row[]> {
  const load = { ...scale, ...scenario }
  const rounds = await runRounds(scale.rounds, {
    fastApi: () => runWrk(servers.fastApi, load),
    sentinel: () => runWrk(servers.sentinel, load),
  })
  return [
    row({
      ...{ name: `${scenario.name}: req/s, sentinel / FastAPI`, unit: "x" },
      value: medianRatio(rounds, ["sentinel", "fastApi"], perSecond),
      goal: { of: "value", least: FAST_API_GOAL },
    }),
    row({
      ...{ name: `${scenario.name}: req/s of FastAPI`, unit: "req/s" },
      value: medianOf(rounds, "fastApi", perSecond),
    }),
  ]
}

const perSecond = (run: LoadRun): number => run.perSecond
const cpuEach = (run: LoadRun): number => run.cpuMicrosecondsEach
