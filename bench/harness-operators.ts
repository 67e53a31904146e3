import type { AnalysisParts } from "../src/pipeline.ts"
import type { Operator, OperatorContext, SourceRecord } from "../src/stream/types.ts"
import { cpuMicrosecondsEach, type Row, row } from "./harness.ts"
import type { EvidencePackage } from "./harness-packages.ts"

/** CPU microseconds of each operator of the analysis flow for each package, one after the other. */
export async function operatorCosts(
  parts: AnalysisParts,
  packages: readonly EvidencePackage[],
): Promise<readonly Row[]> {
  const records = packages.map(documentRecord)
  const warmUp = new CostedRun()
  await runAll(parts, records.slice(0, Math.ceil(records.length / 4)), warmUp)
  const costed = new CostedRun()
  await runAll(parts, records, costed)
  return costed.rows()
}

/** What `src/pipeline.ts` does, operator by operator over all records, without the engine. */
async function runAll(
  parts: AnalysisParts,
  records: readonly SourceRecord[],
  costed: CostedRun,
): Promise<void> {
  const events = await costed.apply(parts.decode, records)
  const fetched = await costed.apply(parts.fetch, events)
  const verified = await costed.apply(parts.verify, fetched)
  const enriched = await costed.apply(parts.enrich, verified)
  const featurized = await costed.apply(parts.featurize, enriched)
  const classifications = await costed.apply(parts.classify, featurized)
  const anomalies = await costed.apply(parts.scoreAnomaly, featurized)
  const scored = featurized.map((evidence, index) => ({
    ...evidence,
    scores: {
      classification: classifications[index] ?? { failed: "MISSING" },
      anomaly: anomalies[index] ?? { failed: "MISSING" },
    },
  }))
  const judged = await costed.apply(parts.combine, scored)
  await costed.apply(parts.explain, judged)
}

class CostedRun {
  readonly #costs: { readonly name: string; readonly microseconds: number }[] = []

  async apply<In, Out>(operator: Operator<In, Out>, inputs: readonly In[]): Promise<Out[]> {
    const outputs: Out[] = []
    const microseconds = await cpuMicrosecondsEach(inputs.length, async () => {
      for (const input of inputs) outputs.push(await operator.process(input, CONTEXT))
    })
    this.#costs.push({ name: operator.name, microseconds })
    return outputs
  }

  rows(): readonly Row[] {
    const total = this.#costs.reduce((sum, { microseconds }) => sum + microseconds, 0)
    return [...this.#costs, { name: "all operators", microseconds: total }].map((cost) =>
      row({ name: `cpu: ${cost.name}`, value: cost.microseconds, unit: "us/package" }),
    )
  }
}

function documentRecord({ bytes }: EvidencePackage, index: number): SourceRecord {
  return {
    topic: "inbox",
    partition: 0,
    offset: BigInt(index),
    key: null,
    value: bytes,
    headers: {},
    timestampMs: 0,
    receivedAtMs: 0,
  }
}

export const CONTEXT: OperatorContext = {
  key: "",
  eventTimeMs: 0,
  record: documentRecord({ sessionId: "", bytes: new Uint8Array() }, 0),
  signal: new AbortController().signal,
}
