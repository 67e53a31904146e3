import { HashMismatchError, MalformedError, ManifestError } from "../errors.ts"
import type { Integrity } from "../events.ts"
import { digestMembers } from "./digest.ts"
import type { FieldReader } from "./field-reader.ts"

const CHECKSUMS_MAX = 1_000

/**
 * Checks the signed manifest of a JSON document: each listed component against its digest.
 *
 * Out: "unverified" when the manifest lists nothing.
 * @throws ManifestError for no manifest or an absent component; HashMismatchError; MalformedError
 */
export function verifySignedManifest(text: string, document: FieldReader): Integrity {
  if (!document.has("signed_manifest")) throw new ManifestError("signed_manifest", "missing")
  const checksums = readChecksums(document.object("signed_manifest"))
  return verifyChecksums(checksums, digestMembers(text, new Set(checksums.keys())))
}

/**
 * The digests that a manifest lists, by component, in lower case.
 * @throws MalformedError naming the entry that is not 64 hex digits
 */
export function readChecksums(manifest: FieldReader): ReadonlyMap<string, string> {
  const fields = manifest.object("checksums")
  const names = fields.keys()
  if (names.length > CHECKSUMS_MAX) {
    throw new MalformedError(manifest.path("checksums"), `at most ${CHECKSUMS_MAX} entries`)
  }
  return new Map(names.map((name) => [name, readChecksum(manifest, fields.value(name))]))
}

/** The name of an entry is the producer's text and is not echoed. */
function readChecksum(manifest: FieldReader, value: unknown): string {
  if (typeof value === "string" && /^[0-9a-fA-F]{64}$/.test(value)) return value.toLowerCase()
  throw new MalformedError(manifest.path("checksums"), "64 hex digits each")
}

/**
 * Compares what is listed with what is there.
 *
 * @param actual by component; undefined = present, but of a kind that no digest can match
 * @throws ManifestError for an absent component; HashMismatchError for a different one
 */
export function verifyChecksums(
  listed: ReadonlyMap<string, string>,
  actual: ReadonlyMap<string, string | undefined>,
): Integrity {
  for (const [name, sha256] of listed) {
    if (!actual.has(name)) {
      throw new ManifestError("signed_manifest.checksums", "a listed component is absent")
    }
    if (actual.get(name) !== sha256) throw new HashMismatchError("signed_manifest.checksums")
  }
  return listed.size === 0 ? "unverified" : "verified"
}
