import { posix } from "node:path"

const DOCUMENT_ROOT = "/srv/site/public/files"
/** A server and the framework behind it. */
const DECODINGS_MAX = 2

/**
 * The file outside the document root that a path names, as a server would resolve it: decoded at
 * most twice, `\` read as `/`, cut at a NUL. Undefined where it stays inside.
 */
export function escapedPath(text: string): string | undefined {
  const decoded = decodePercent(text).replaceAll("\\", "/").replace(/\0.*$/s, "")
  const resolved = posix.resolve(DOCUMENT_ROOT, decoded)
  return resolved.startsWith(`${DOCUMENT_ROOT}/`) || resolved === DOCUMENT_ROOT
    ? undefined
    : resolved
}

function decodePercent(text: string): string {
  let decoded = text
  for (let round = 0; round < DECODINGS_MAX; round++) {
    try {
      decoded = decodeURIComponent(decoded)
    } catch {
      return decoded // no escape, or bytes that are no UTF-8: a server takes it as it is
    }
  }
  return decoded
}
