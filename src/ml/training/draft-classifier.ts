import type { PayloadClassifier } from "../../ports.ts"
import type { LinearModel } from "../models/linear-onnx.ts"
import { fieldwiseClassifier } from "../serving/fieldwise-classifier.ts"
import { LinearPayloadClassifier } from "../serving/linear-payload-classifier.ts"
import { MODEL_TYPE } from "../serving/payload-model-files.ts"

/** A model in the making, judging as it will in service; it says nothing of how it was made. */
export function draftClassifier(model: LinearModel): PayloadClassifier {
  return fieldwiseClassifier(bareClassifier(model, "draft"))
}

/** The same without a look at the fields of a text. */
export function bareClassifier(model: LinearModel, modelId: string): LinearPayloadClassifier {
  return new LinearPayloadClassifier(model, {
    modelId,
    modelType: MODEL_TYPE,
    trainedAt: "",
    trainingSamples: model.provenance.trainingSamples,
    validationSamples: model.provenance.validationSamples,
    metrics: {},
  })
}
