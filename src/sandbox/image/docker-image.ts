import { SandboxUnavailableError } from "../../errors.ts"
import type { DockerEngine } from "../docker-engine.ts"
import type { SandboxImage } from "./build-image.ts"

const REPOSITORY = "sentinel-twins"
const TAG_CHARACTERS = 16
/** Another Sentinel may be about to make its first container of what it has just brought. */
const UNUSED_MS_MIN = 24 * 3_600_000

/**
 * Brings the image into the engine, unless it is there already. With a new one those go that were
 * brought a day ago and that nothing uses now.
 *
 * The engine's own digest of the layer decides: a tag can be moved to anything.
 * @throws SandboxUnavailableError where the engine holds something else under that name
 */
export async function ensureImage(
  engine: DockerEngine,
  image: Pick<SandboxImage, "digest" | "tarFile">,
): Promise<{ readonly reference: string; readonly digest: string }> {
  const tag = image.digest.replace("sha256:", "").slice(0, TAG_CHARACTERS)
  const reference = `${REPOSITORY}:${tag}`
  if ((await engine.imageLayer(reference)) === image.digest) {
    return { reference, digest: image.digest }
  }
  await engine.importImage(image.tarFile, REPOSITORY, tag)
  if ((await engine.imageLayer(reference)) !== image.digest) {
    throw new SandboxUnavailableError("the engine holds another image than the one imported")
  }
  await engine.removeImages(REPOSITORY, UNUSED_MS_MIN)
  return { reference, digest: image.digest }
}
