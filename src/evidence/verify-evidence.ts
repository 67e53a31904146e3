import { HashMismatchError, ManifestError } from "../errors.ts"
import type { EvidenceDocument, EvidenceEvent, Integrity, StoredObject } from "../events.ts"
import { isGzip, unpackArchive } from "./archive.ts"
import { sha256Hex } from "./digest.ts"
import {
  jsonDocumentKind,
  metadataSessionId,
  readFiles,
  readJsonDocument,
  readJsonFile,
} from "./evidence-document.ts"
import { FieldReader } from "./field-reader.ts"
import { decodeUtf8, parseJson } from "./json-text.ts"
import { readChecksums, verifyChecksums, verifySignedManifest } from "./manifest.ts"
import { matchPrefixChecksum, type PrefixFile, prefixDigest } from "./prefix-checksum.ts"

/** What the verification of one piece of evidence found. */
export interface Verification {
  readonly integrity: Integrity
  readonly evidenceSha256: string
  readonly document: EvidenceDocument
  /** As the evidence itself says; undefined where it does not. */
  readonly sessionId: string | undefined
}

type Content = Omit<Verification, "evidenceSha256">

/**
 * Checks every digest that was announced for an object: that of the event, then the manifest
 * inside. Archive or JSON is told by the first bytes, never by a name.
 *
 * @throws HashMismatchError, ManifestError, MalformedError, ArchiveRefusedError
 */
export function verifyObject(
  object: StoredObject,
  event: EvidenceEvent,
  context: { readonly signal?: AbortSignal } = {},
): Promise<Verification> | Verification {
  const evidenceSha256 = sha256Hex(object.bytes)
  if (event.sha256 !== undefined && event.sha256 !== evidenceSha256) {
    throw new HashMismatchError("sha256")
  }
  if (isGzip(object.bytes)) return verifyArchive(object.bytes, evidenceSha256, context.signal)
  const content = verifyJson(object.bytes, { bareHarAllowed: event.form === "document" })
  return { ...content, evidenceSha256 }
}

function verifyJson(bytes: Uint8Array, options: { bareHarAllowed: boolean }): Content {
  const text = decodeUtf8(bytes, "document")
  const value = parseJson(text, "document")
  const fields = new FieldReader(value, "")
  if (options.bareHarAllowed && jsonDocumentKind(fields) === "har") return bareHar(value)
  const { sessionId, ...document } = readJsonDocument(fields)
  return { integrity: verifySignedManifest(text, fields), document, sessionId }
}

/** A HAR announces no digest: there is nothing to check it against. */
function bareHar(har: unknown): Content {
  const document = { har, extractedPayloads: [] }
  return { integrity: "unverified", document, sessionId: undefined }
}

async function verifyArchive(
  bytes: Uint8Array,
  evidenceSha256: string,
  signal: AbortSignal | undefined,
): Promise<Verification> {
  const members = await unpackArchive(bytes, signal)
  const files = new Map([...members].map(([path, member]) => [path, member.bytes]))
  const manifest = readJsonFile(files, "manifest.json")
  if (manifest === undefined) throw new ManifestError("manifest.json", "missing")
  const listed = readChecksums(new FieldReader(manifest, "manifest.json"))
  const actual = new Map([...members].map(([path, member]) => [path, member.sha256]))
  const integrity = verifyChecksums(listed, actual)
  const document = readFiles(files)
  const sessionId = metadataSessionId(document.metadata)
  return { integrity, evidenceSha256, document, sessionId }
}

/**
 * Checks the one checksum of form B over all objects under the prefix.
 *
 * Out: "unverified" where none was announced, or where there are too many files to try every order.
 * @throws HashMismatchError when no order gives the checksum; MalformedError
 */
export async function verifyPrefix(
  objects: readonly StoredObject[],
  prefix: string,
  checksum: string | undefined,
): Promise<Verification> {
  const files = objects.map((object): PrefixFile => {
    return { ...object, path: object.key.slice(prefix.length) }
  })
  const integrity = await prefixIntegrity(files, checksum)
  const document = readFiles(new Map(files.map(({ path, bytes }) => [path, bytes])))
  const evidenceSha256 = checksum ?? prefixDigest(files)
  return { integrity, evidenceSha256, document, sessionId: undefined }
}

async function prefixIntegrity(
  files: readonly PrefixFile[],
  checksum: string | undefined,
): Promise<Integrity> {
  if (checksum === undefined) return "unverified"
  const outcome = await matchPrefixChecksum(files, checksum)
  if (outcome === "differs") throw new HashMismatchError("checksum")
  return outcome === "matches" ? "verified" : "unverified"
}
