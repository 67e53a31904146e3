import { mkdirSync } from "node:fs"
import { cpus, totalmem } from "node:os"
import { join } from "node:path"
import { requireRestartableKafka } from "../services.ts"
import { type ChaosReport, runChaos } from "./chaos-run.ts"

/*
 * The chaos test with many more faults, for a report to keep:
 *   bun test/support/chaos/long-run.ts [KILLS] [EVENTS] [SEED]
 * prints a table, writes bench/results/chaos-DATE-COMMIT.json, exits 1 if anything was found.
 */

const [kills = 100, events = 1_000_000, seed = 7] = process.argv.slice(2).map(Number)
/** A kill and what follows it (session timeout, rejoining) takes about 7 s. */
const MS_PER_KILL = 8_000
const RESULTS = join(import.meta.dir, "../../../bench/results")

const broker = await requireRestartableKafka()
if (broker === undefined) process.exit(1)
mkdirSync(RESULTS, { recursive: true })
const commit = Bun.spawnSync(["git", "rev-parse", "--short=12", "HEAD"]).stdout.toString().trim()
const date = new Date().toISOString().slice(0, 10)
const plan = {
  ...{ seed, events, kills, poisonShare: 0.01, brokerRestarts: Math.ceil(kills / 20) },
  durationMs: kills * MS_PER_KILL,
}
const report = await runChaos(broker, { ...plan, logFile: "/dev/null" })
const machine = {
  cpu: cpus()[0]?.model ?? "unknown",
  cores: cpus().length,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  bun: Bun.version,
}
const file = join(RESULTS, `chaos-${date}-${commit}.json`)
await Bun.write(file, `${JSON.stringify({ commit, date, machine, plan, report }, null, 2)}\n`)
process.stdout.write(table(report))
process.exit(found(report) === 0 ? 0 : 1)

function found(it: ChaosReport): number {
  const anomalies = [it.lostWrites, it.duplicates, it.unexpected, it.unseen, it.abortedReads]
  return anomalies.reduce((sum, count) => sum + count, it.nonMonotonicPolls + it.lag)
}

function table(values: ChaosReport): string {
  const rows = Object.entries(values).map(([name, value]) => `| ${name} | ${value} |`)
  return `${["| what | count |", "| --- | --- |", ...rows].join("\n")}\n`
}
