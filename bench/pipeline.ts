import { rm } from "node:fs/promises"
import { availableParallelism } from "node:os"
import { analysisParts } from "../src/compose/flow-parts.ts"
import { openModels } from "../src/compose/models.ts"
import { readConfig } from "../src/config.ts"
import { folderObjects } from "../src/services/folder-objects.ts"
import { type Row, row, type SuiteOptions } from "./harness.ts"
import { benchKafka, parseLoopRate } from "./harness-kafka.ts"
import { operatorCosts } from "./harness-operators.ts"
import { type EvidencePackage, evidencePackages } from "./harness-packages.ts"
import {
  announcePackages,
  EVIDENCE_TOPIC,
  type ProcessorRun,
  parsePackage,
  runProcessor,
  storePackages,
} from "./harness-processor.ts"

export const services = ["kafka"] as const

/** Each without threads and with them, in turns: both meet the same machine. */
const ROUNDS = 3

/**
 * What a package costs: CPU of each operator alone, then packages per second from Kafka through the
 * whole flow (objects in a folder, verdicts to LMDB, JSONL and Kafka), beside bare kafkajs loops that
 * only parse the same announcements, or those and the packages they point to.
 */
export async function run(options: SuiteOptions): Promise<readonly Row[]> {
  const { quick, progress } = options
  const config = readConfig({})
  progress("operators, one by one")
  const parts = analysisParts(await openModels(config), config, folderObjects(config.dataDir))
  const costs = await operatorCosts(parts, evidencePackages(quick ? 500 : 2_000))
  return [...costs, ...(await flowRows(evidencePackages(quick ? 2_000 : 10_000), options))]
}

async function flowRows(
  packages: readonly EvidencePackage[],
  { env, progress, quick }: SuiteOptions,
): Promise<readonly Row[]> {
  const kafka = benchKafka(env)
  progress(`${packages.length} packages into Kafka`)
  await announcePackages(kafka, packages)
  progress("the bare loops")
  const count = packages.length
  const loop = { topic: EVIDENCE_TOPIC, count }
  const announcements = await parseLoopRate(kafka, loop)
  const parsed = await withStored(packages, (dataDir) =>
    parseLoopRate(kafka, { ...loop, each: parsePackage(dataDir) }),
  )
  const bytes = packages.reduce((sum, each) => sum + each.bytes.length, 0) / count
  const run = (threads: number) =>
    withStored(packages, (dataDir) => runProcessor(kafka, { env, dataDir, count, threads }))
  const threads = Math.max(1, availableParallelism() - 1)
  const [alone, threaded]: [ProcessorRun[], ProcessorRun[]] = [[], []]
  for (let round = 1; round <= (quick ? 1 : ROUNDS); round += 1) {
    progress(`the whole flow without analysis threads and with ${threads}, round ${round}`)
    alone.push(await run(0))
    threaded.push(await run(threads))
  }
  const rate = { value: meanRate(alone), unit: "packages/s" }
  const name = "whole flow"
  return [
    row({ name: "package size, mean", value: bytes, unit: "bytes" }),
    row({ name: `${name}, against parsing announcements`, ...rate, baseline: announcements }),
    row({ name: `${name}, against parsing packages`, ...rate, baseline: parsed }),
    ...costRows(name, alone),
    row({
      ...{ name: `${name}, analysis threads: ${threads}, against none`, unit: rate.unit },
      ...{ value: meanRate(threaded), baseline: rate.value },
    }),
    ...costRows(`${name}, analysis threads: ${threads}`, threaded),
  ]
}

/** Of runs over the same packages. */
function meanRate(runs: readonly ProcessorRun[]): number {
  return runs.length / runs.reduce((sum, { packagesPerSecond }) => sum + 1 / packagesPerSecond, 0)
}

function costRows(name: string, runs: readonly ProcessorRun[]): readonly Row[] {
  const cpu = runs.reduce((sum, { cpuMicrosecondsEach }) => sum + cpuMicrosecondsEach, 0)
  const peak = Math.max(...runs.map(({ peakMiB }) => peakMiB))
  return [
    row({ name: `${name}, cpu`, value: cpu / runs.length, unit: "us/package" }),
    row({ name: `${name}, peak memory`, value: peak, unit: "MiB" }),
  ]
}

/** Each with a data directory of its own: what was judged once is not judged again. */
async function withStored<T>(
  packages: readonly EvidencePackage[],
  work: (dataDir: string) => Promise<T>,
): Promise<T> {
  const dataDir = await storePackages(packages)
  try {
    return await work(dataDir)
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
}
