import { rename, rmdir } from "node:fs/promises"
import { join } from "node:path"
import { fieldwiseClassifier } from "../serving/fieldwise-classifier.ts"
import { loadPayloadClassifier } from "../serving/load-payload-classifier.ts"
import { referenceScores } from "../serving/load-served-model.ts"
import type { ModelDirectories } from "../serving/model-catalog.ts"
import { LINEAGE_FILE, PAYLOAD_MODEL_NAME } from "../serving/payload-model-files.ts"
import { claimVersion } from "./claim-version.ts"
import {
  type TrainingOptions,
  type TrainingResult,
  trainPayloadClassifier,
} from "./train-payload-classifier.ts"

export interface RegistrationOptions extends Omit<TrainingOptions, "outDir" | "version"> {
  readonly directories: ModelDirectories & { readonly registered: string }
  /** The model that is live while this one is trained. */
  readonly parent: string
  /** Of the program, e.g. `0.1.0+89f357c`. */
  readonly codeVersion: string
}

/**
 * Trains a payload model and registers it as a candidate, under a version that nobody has: neither a
 * shipped model nor another training at the same time. Where the training fails, the version is free.
 *
 * @throws what training throws
 */
export async function registerPayloadModel(options: RegistrationOptions): Promise<TrainingResult> {
  const { directories, parent, codeVersion, ...training } = options
  const version = await claimVersion(PAYLOAD_MODEL_NAME, directories)
  const directory = join(directories.registered, PAYLOAD_MODEL_NAME, version)
  try {
    const outDir = directories.registered
    const trained = await trainPayloadClassifier({ ...training, outDir, version })
    await writeLineage(directory, { parent, codeVersion })
    return trained
  } finally {
    // an empty directory is a claim that came to nothing; any other stays
    await rmdir(directory).catch(() => undefined)
  }
}

async function writeLineage(
  directory: string,
  { parent, codeVersion }: { readonly parent: string; readonly codeVersion: string },
): Promise<void> {
  const served = fieldwiseClassifier(await loadPayloadClassifier(directory))
  const lineage = {
    parent,
    code_version: codeVersion,
    registered_at: new Date().toISOString(),
    reference_scores: await referenceScores(served),
  }
  const draft = join(directory, `.${LINEAGE_FILE}`)
  await Bun.write(draft, `${JSON.stringify(lineage, null, 2)}\n`)
  await rename(draft, join(directory, LINEAGE_FILE))
}
