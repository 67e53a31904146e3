import { type EvaluationReport, figureCells } from "../evaluation/evaluate-payloads.ts"
import { UNSURE } from "../serving/combine-tiers.ts"
import type { TrainedDeepModel } from "./trained-deep-model.ts"

/** The model card, every figure of it taken from the run that made the model. */
export function deepModelCard(trained: TrainedDeepModel): string {
  const { model, modelId, bytes, modelSha256, reports, judgedName } = trained
  const { shape, provenance } = model
  return `# ${modelId}

A byte-level transformer: embeddings of the normalised bytes and of hashed 2-4-grams, two convolutions of
stride 2, ${shape.blocks} pre-norm block(s) of self-attention (${shape.heads} heads, ${shape.channels} channels) and feed-forward
(${shape.hidden}), the maximum over tokens, five classes. Trained by \`./sentinel train --tier deep\` through
an ONNX graph that holds forward pass, backward pass and Adam, in ONNX Runtime on one thread.

- Trained at ${trained.trainedAt} with seed ${provenance.seed} in ${trained.trainingCpuSeconds.toFixed(0)} CPU seconds;
  ${model.parameters.length} parameters, ${bytes.byteLength} bytes, sha256 \`${modelSha256}\`.
- ${Object.entries(trained.training)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ")}.
- Training data: ${provenance.trainingSamples} texts, the same as the linear tier's for this seed; sha256 \`${provenance.trainingDataSha256}\`.
- Temperature ${model.temperature.toFixed(4)}, fitted on the rows below: the ECE of "deep" is optimistic.

## Results on ${judgedName} (${trained.judgedRows} rows, ${judgedName === "validate" ? "sources never trained on" : "fresh rows of the same generators"})

"R@x" is the share of attacks found at a false positive rate of x on the same rows. A blend is the mean
of both tiers' calibrated log-probabilities; unsure is a linear P(attack) from ${UNSURE.from} to ${UNSURE.to}. The
weights of the blend were not fitted; the band and the settings above were chosen among a handful by their
figures on validate. Every tier judges a text by the worst of its fields beside the whole.

${tableOf("tier", reports)}

## The deep tier by source

${tableOf("source", reports.deep?.bySource ?? {})}
`
}

function tableOf(first: string, reports: Readonly<Record<string, Report>>): string {
  const rows = Object.entries(reports).map(
    ([name, report]) => `| ${name} | ${figureCells(report).join(" | ")} |`,
  )
  return `| ${first} | rows | attacks | recall | FPR | macro-F1 | R@0.02% | R@0.1% | R@0.5% | R@1% | ECE |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
${rows.join("\n")}`
}

type Report = Omit<EvaluationReport, "model" | "bySource">
