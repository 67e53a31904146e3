import { analysisParts } from "../src/compose/flow-parts.ts"
import { openModels } from "../src/compose/models.ts"
import { readConfig } from "../src/config.ts"
import { folderObjects } from "../src/services/folder-objects.ts"
import { type Row, row, type SuiteOptions } from "./harness.ts"
import { benchKafka, parseLoopRate } from "./harness-kafka.ts"
import { operatorCosts } from "./harness-operators.ts"
import { evidencePackages } from "./harness-packages.ts"
import {
  announcePackages,
  EVIDENCE_TOPIC,
  runProcessor,
  storePackages,
} from "./harness-processor.ts"

export const services = ["kafka"] as const

/**
 * What a package costs: CPU of each operator alone, then packages per second from Kafka through the
 * whole flow (objects in a folder, verdicts to LMDB, JSONL and Kafka), beside a kafkajs loop that
 * only parses the same announcements.
 */
export async function run({ quick, env, progress }: SuiteOptions): Promise<readonly Row[]> {
  const config = readConfig({})
  progress("operators, one by one")
  const parts = analysisParts(await openModels(config), config, folderObjects(config.dataDir))
  const costs = await operatorCosts(parts, evidencePackages(quick ? 500 : 2_000))

  const packages = evidencePackages(quick ? 2_000 : 10_000)
  const kafka = benchKafka(env)
  progress(`${packages.length} packages into Kafka`)
  const dataDir = await storePackages(packages)
  await announcePackages(kafka, packages)
  progress("the bare loop")
  const bare = await parseLoopRate(kafka, EVIDENCE_TOPIC, packages.length)
  progress("the whole flow")
  const whole = await runProcessor(kafka, { env, dataDir, count: packages.length })
  const bytes = packages.reduce((sum, each) => sum + each.bytes.length, 0) / packages.length
  return [
    row({ name: "package size, mean", value: bytes, unit: "bytes" }),
    ...costs,
    row({
      name: "whole flow, against a bare kafkajs consume-and-parse loop",
      value: whole.packagesPerSecond,
      unit: "packages/s",
      baseline: bare,
    }),
    row({ name: "cpu: whole process", value: whole.cpuMicrosecondsEach, unit: "us/package" }),
    row({ name: "peak memory", value: whole.peakMiB, unit: "MiB" }),
  ]
}
