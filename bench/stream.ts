import type { Row, SuiteOptions } from "./harness.ts"
import { benchKafka } from "./harness-kafka.ts"
import { analysisRows } from "./stream/analysis.ts"
import { analysisMinioRows } from "./stream/analysis-minio.ts"
import { memoryGrowthRow } from "./stream/memory-growth.ts"
import { poisonRow } from "./stream/poison.ts"
import { recoveryRows } from "./stream/recovery.ts"
import { verifyAndRouteRows } from "./stream/verify-and-route.ts"

export const services = ["kafka", "minio"] as const

/**
 * What the engine costs: one piece of work done by it, by the bare loop of its client and by other
 * engines in the same run; each one's output is read back and counted.
 */
export async function run(options: SuiteOptions): Promise<readonly Row[]> {
  const kafka = benchKafka(options.env)
  const brokers = options.env.KAFKA_BOOTSTRAP_SERVERS?.split(",") ?? []
  const routed = await verifyAndRouteRows(kafka, brokers, options)
  options.progress("one malformed record among 10,000")
  const poison = await poisonRow(kafka, brokers)
  options.progress("killed and started again")
  const recovery = await recoveryRows(kafka, brokers)
  options.progress("the analysis flow")
  const analysis = await analysisRows(options)
  return [
    ...routed,
    poison,
    ...analysis,
    ...(await analysisMinioRows(options)),
    ...recovery,
    await memoryGrowthRow(kafka, brokers, options),
  ]
}
