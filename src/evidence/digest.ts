import { JsonScanner } from "./json-scanner.ts"

/** sha256 as 64 lower-case hex digits; text is hashed as UTF-8. */
export function sha256Hex(content: Uint8Array | string): string {
  return new Bun.CryptoHasher("sha256").update(content).digest("hex")
}

/**
 * The digests of the listed top-level members of a JSON document, by the rule of the signed
 * manifest: over a string's UTF-8 bytes, over the canonical JSON of anything else.
 *
 * In: a text that parses as an object. Out: 64 hex digits per member; undefined for a string with
 * a lone surrogate, which has no UTF-8; members that are absent or null are not in the map.
 */
export function digestMembers(
  text: string,
  names: ReadonlySet<string>,
): ReadonlyMap<string, string | undefined> {
  const digests = new Map<string, string | undefined>()
  new JsonScanner(text).members(names, (name, canonical) => {
    if (isNull(canonical)) digests.delete(name)
    else digests.set(name, digestCanonical(canonical))
  })
  return digests
}

function digestCanonical(canonical: Uint8Array): string | undefined {
  if (canonical[0] !== 0x22) return sha256Hex(canonical)
  const text = JSON.parse(Buffer.from(canonical).toString("latin1")) as string
  return text.isWellFormed() ? sha256Hex(text) : undefined
}

function isNull(canonical: Uint8Array): boolean {
  return canonical[0] === 0x6e
}
