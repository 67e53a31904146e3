import { rename, rmdir } from "node:fs/promises"
import { join } from "node:path"
import type { ModelDirectories } from "../serving/model-catalog.ts"
import { LINEAGE_FILE } from "../serving/payload-model-files.ts"
import { claimVersion } from "./claim-version.ts"

/** What a registered model comes from. */
export interface RegistrationOrigin {
  readonly directories: ModelDirectories & { readonly registered: string }
  /** The model that is live while this one is trained. */
  readonly parent: string
  /** Of the program, e.g. `0.1.0+89f357c`. */
  readonly codeVersion: string
}

export interface Registration<Trained> extends RegistrationOrigin {
  readonly name: string
  /** Writes the model below `outDir`, under its name and this version. */
  train(place: { readonly outDir: string; readonly version: string }): Promise<Trained>
  /** What the lineage holds besides, of the model in its directory. */
  further?(directory: string): Promise<object>
}

/**
 * Trains a model under a version that nobody has, neither a shipped model nor another training at
 * the same time, and writes its lineage. Where the training fails, the version is free.
 *
 * @throws what training throws
 */
export async function registerVersion<Trained>(options: Registration<Trained>): Promise<Trained> {
  const { name, directories } = options
  const outDir = directories.registered
  const version = await claimVersion(name, directories)
  const directory = join(outDir, name, version)
  try {
    const trained = await options.train({ outDir, version })
    await writeLineage(directory, options, (await options.further?.(directory)) ?? {})
    return trained
  } finally {
    // an empty directory is a claim that came to nothing; any other stays
    await rmdir(directory).catch(() => undefined)
  }
}

async function writeLineage(
  directory: string,
  { parent, codeVersion }: RegistrationOrigin,
  further: object,
): Promise<void> {
  const registeredAt = new Date().toISOString()
  const lineage = { parent, code_version: codeVersion, registered_at: registeredAt, ...further }
  const draft = join(directory, `.${LINEAGE_FILE}`)
  await Bun.write(draft, `${JSON.stringify(lineage, null, 2)}\n`)
  await rename(draft, join(directory, LINEAGE_FILE))
}
