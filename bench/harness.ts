import { measure } from "mitata"

/** One line of a suite's result. */
export interface Row {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** What the value is compared with, in the same unit and measured in the same run. */
  readonly baseline: number | null
  /** value / baseline */
  readonly ratio: number | null
  /** As a person reads it, e.g. `< 10`; about the ratio where it says `ratio`. */
  readonly goal: string | null
  readonly met: boolean | null
}

export interface SuiteOptions {
  /** True = a coarse answer within a minute. */
  readonly quick: boolean
  readonly env: Readonly<Record<string, string | undefined>>
  /** Tells whoever watches what is being measured. */
  progress(line: string): void
}

/** What every module `bench/<suite>.ts` exports. */
export interface Suite {
  /** Names known to scripts/services; they run, with their addresses in `env`, while the suite does. */
  readonly services: readonly string[]
  run(options: SuiteOptions): Promise<readonly Row[]>
}

export interface Measured {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly baseline?: number
  readonly goal?: {
    readonly of: "value" | "ratio"
    readonly below?: number
    readonly least?: number
  }
}

/** Completes a measured value to a row: its ratio, and whether its goal is met. */
export function row({ name, value, unit, baseline, goal }: Measured): Row {
  const ratio = baseline === undefined ? null : value / baseline
  const judged = goal?.of === "ratio" ? ratio : value
  const met =
    goal === undefined || judged === null
      ? null
      : judged < (goal.below ?? Number.POSITIVE_INFINITY) &&
        judged >= (goal.least ?? Number.NEGATIVE_INFINITY)
  return { name, value, unit, baseline: baseline ?? null, ratio, goal: goalText(goal), met }
}

function goalText(goal: Measured["goal"]): string | null {
  if (goal === undefined) return null
  const bounds = [
    ...(goal.below === undefined ? [] : [`< ${goal.below}`]),
    ...(goal.least === undefined ? [] : [`>= ${goal.least}`]),
  ].join(" and ")
  return goal.of === "ratio" ? `ratio ${bounds}` : bounds
}

/** Wall-clock milliseconds of one call, after warm-up: median and 99th percentile. */
export async function timeCall(
  call: () => unknown,
  options: { readonly quick: boolean },
): Promise<{ readonly p50Ms: number; readonly p99Ms: number }> {
  const stats = await measure(call, {
    min_cpu_time: options.quick ? 200e6 : 1_000e6,
    min_samples: options.quick ? 20 : 100,
  })
  return { p50Ms: stats.p50 / 1e6, p99Ms: stats.p99 / 1e6 }
}

/** CPU microseconds (user and system, every thread) that `work` took, divided by `count`. */
export async function cpuMicrosecondsEach(
  count: number,
  work: () => Promise<void> | void,
): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / count
}
