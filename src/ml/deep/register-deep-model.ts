import { DEEP_MODEL_NAME } from "../serving/payload-model-files.ts"
import { type RegistrationOrigin, registerVersion } from "../training/register-version.ts"
import {
  type DeepTrainingOptions,
  type DeepTrainingResult,
  trainDeepTier,
} from "./train-deep-tier.ts"

/** `parent` is the fast tier that is live while this one is trained. */
export interface DeepRegistrationOptions
  extends Omit<DeepTrainingOptions, "outDir" | "version">,
    RegistrationOrigin {}

/**
 * Trains a deep model and registers it as a candidate for the second tier, under a version that nobody
 * has.
 * @throws what training throws
 */
export async function registerDeepModel(
  options: DeepRegistrationOptions,
): Promise<DeepTrainingResult> {
  const { directories, parent, codeVersion, ...training } = options
  return registerVersion({
    ...{ name: DEEP_MODEL_NAME, directories, parent, codeVersion },
    train: (place) => trainDeepTier({ ...training, ...place }),
  })
}
