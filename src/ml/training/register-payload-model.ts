import { fieldwiseClassifier } from "../serving/fieldwise-classifier.ts"
import { loadPayloadClassifier } from "../serving/load-payload-classifier.ts"
import { referenceScores } from "../serving/load-served-model.ts"
import { PAYLOAD_MODEL_NAME } from "../serving/payload-model-files.ts"
import { type RegistrationOrigin, registerVersion } from "./register-version.ts"
import {
  type TrainingOptions,
  type TrainingResult,
  trainPayloadClassifier,
} from "./train-payload-classifier.ts"

export interface RegistrationOptions
  extends Omit<TrainingOptions, "outDir" | "version">,
    RegistrationOrigin {}

/**
 * Trains a payload model and registers it as a candidate, under a version that nobody has.
 * @throws what training throws
 */
export async function registerPayloadModel(options: RegistrationOptions): Promise<TrainingResult> {
  const { directories, parent, codeVersion, ...training } = options
  return registerVersion({
    ...{ name: PAYLOAD_MODEL_NAME, directories, parent, codeVersion },
    train: (place) => trainPayloadClassifier({ ...training, ...place }),
    async further(directory) {
      const served = fieldwiseClassifier(await loadPayloadClassifier(directory))
      const reference_scores = await referenceScores(served)
      return { reference_scores, with_collected_data: training.dataDir !== undefined }
    },
  })
}
