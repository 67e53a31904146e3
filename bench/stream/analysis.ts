import { createAnalyzer } from "../../src/compose/analyzer.ts"
import { openModels } from "../../src/compose/models.ts"
import { readConfig } from "../../src/config.ts"
import { cpuMicrosecondsEach, type Row, row } from "../harness.ts"
import { analysisPackages } from "./analysis-packages.ts"

const COUNT = { quick: 500, full: 3_000 }
const WARM_UP = 1_000

/**
 * The analysis flow, from the bytes of a package to its explained verdict, in this process and
 * without Kafka: packages of 12 KiB and ten requests, whose manifest is checked.
 */
export async function analysisRows({
  quick,
}: {
  readonly quick: boolean
}): Promise<readonly Row[]> {
  const config = readConfig({})
  const analyzer = createAnalyzer(await openModels(config), config)
  const packages = analysisPackages(WARM_UP + (quick ? COUNT.quick : COUNT.full))
  let payloads = 0
  const analyze = async (each: Uint8Array) => {
    const { verdict } = await analyzer.analyze(each)
    if (verdict.integrity !== "verified") throw new Error(`integrity ${verdict.integrity}`)
    payloads += verdict.features.n_payloads ?? 0
  }
  for (const each of packages.slice(0, WARM_UP)) await analyze(each)
  const measured = packages.slice(WARM_UP)
  payloads = 0
  const microseconds = await cpuMicrosecondsEach(measured.length, async () => {
    for (const each of measured) await analyze(each)
  })
  const bytes = measured.reduce((sum, each) => sum + each.length, 0)
  return [
    row({
      name: "analysis",
      value: 1_000_000 / microseconds,
      unit: "packages/CPU-s",
      goal: { of: "value", least: 1_500 },
    }),
    row({ name: "analysis: package size, mean", value: bytes / measured.length, unit: "bytes" }),
    row({ name: "analysis: payloads, mean", value: payloads / measured.length, unit: "payloads" }),
  ]
}
