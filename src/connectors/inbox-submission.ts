import { open, rename } from "node:fs/promises"
import { join } from "node:path"
import type { Enrichment } from "../ports.ts"
import { type InboxFile, identify, readWhole, sidecarPath } from "./inbox-files.ts"

const SUBMITTED = /^evidence-([0-9a-f]{64})\.(?:json|tar\.gz)$/

/**
 * Puts a document into the inbox: durable and complete, or not there at all. The same bytes
 * submitted twice are one file. The caller bounds `bytes`.
 *
 * @returns the event id that its verdict will have: sha256 of the bytes, lower-case hex
 */
export async function submitToInbox(
  inbox: string,
  bytes: Uint8Array,
  enrichment?: Enrichment,
): Promise<{ eventId: string }> {
  const eventId = new Bun.CryptoHasher("sha256").update(bytes).digest("hex")
  const isArchive = bytes[0] === 0x1f && bytes[1] === 0x8b
  const path = join(inbox, `evidence-${eventId}.${isArchive ? "tar.gz" : "json"}`)
  if ((await identify(Buffer.from(path))) !== undefined) return { eventId }
  if (enrichment !== undefined) {
    await writeDurably(sidecarPath(path), Buffer.from(JSON.stringify(enrichment)))
  }
  await writeDurably(path, bytes)
  await syncDirectory(inbox)
  return { eventId }
}

/** A file named after its digest proves itself complete; any other must first stop growing. */
export async function carriesOwnDigest(file: InboxFile, bytesMax: number): Promise<boolean> {
  const announced = SUBMITTED.exec(file.name.toString("latin1"))?.[1]
  if (announced === undefined) return false
  const bytes = await readWhole(file.path, bytesMax).catch(() => undefined)
  if (bytes === undefined) return false
  return new Bun.CryptoHasher("sha256").update(bytes).digest("hex") === announced
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  // Two submissions of one document at once must not share a temporary file.
  const temporary = `${path}.${crypto.randomUUID()}.tmp`
  const handle = await open(temporary, "wx", 0o600)
  try {
    await handle.writeFile(bytes)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(temporary, path)
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, "r")
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
