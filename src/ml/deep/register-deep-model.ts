import { rename, rmdir } from "node:fs/promises"
import { join } from "node:path"
import type { ModelDirectories } from "../serving/model-catalog.ts"
import { DEEP_MODEL_NAME, LINEAGE_FILE } from "../serving/payload-model-files.ts"
import { claimVersion } from "../training/claim-version.ts"
import {
  type DeepTrainingOptions,
  type DeepTrainingResult,
  trainDeepTier,
} from "./train-deep-tier.ts"

export interface DeepRegistrationOptions extends Omit<DeepTrainingOptions, "outDir" | "version"> {
  readonly directories: ModelDirectories & { readonly registered: string }
  /** The fast tier that is live while this one is trained. */
  readonly parent: string
  /** Of the program, e.g. `0.1.0+89f357c`. */
  readonly codeVersion: string
}

/**
 * Trains a deep model and registers it as a candidate for the second tier, under a version that nobody
 * has. Where the training fails, the version is free.
 *
 * @throws what training throws
 */
export async function registerDeepModel(
  options: DeepRegistrationOptions,
): Promise<DeepTrainingResult> {
  const { directories, parent, codeVersion, ...training } = options
  const version = await claimVersion(DEEP_MODEL_NAME, directories)
  const directory = join(directories.registered, DEEP_MODEL_NAME, version)
  try {
    const trained = await trainDeepTier({ ...training, outDir: directories.registered, version })
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
  const registeredAt = new Date().toISOString()
  const lineage = { parent, code_version: codeVersion, registered_at: registeredAt }
  const draft = join(directory, `.${LINEAGE_FILE}`)
  await Bun.write(draft, `${JSON.stringify(lineage, null, 2)}\n`)
  await rename(draft, join(directory, LINEAGE_FILE))
}
