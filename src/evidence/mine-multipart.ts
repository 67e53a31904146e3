import { mineFields } from "./mine-fields.ts"
import type { PayloadCollector } from "./payload-collector.ts"

const PARTS_MAX = 256
const BOUNDARY_CHARS_MAX = 72
const HEADER_CHARS_MAX = 2_048
const PARAMETER = {
  name: /(?:^|[;\s])name="([^"]{0,256})"|(?:^|[;\s])name=([^;\s"]{1,256})/i,
  filename: /(?:^|[;\s])filename="([^"]{0,1024})"|(?:^|[;\s])filename=([^;\s"]{1,1024})/i,
}

/**
 * Adds the parts of a multipart body at `multipart:<name>`, file names at
 * `multipart-filename:<name>`. The boundary is the body's first line: headers may say another.
 *
 * @returns false when the body is no multipart after all; a part cut off at its end still counts
 */
export function mineMultipart(body: string, collector: PayloadCollector): boolean {
  const lineEnd = body.indexOf("\n")
  const delimiter = body.slice(0, lineEnd).trimEnd()
  if (lineEnd === -1 || delimiter.length < 3 || delimiter.length > BOUNDARY_CHARS_MAX) return false
  const parts = body.split(delimiter, PARTS_MAX + 1).slice(1)
  if (!/content-disposition/i.test((parts[0] ?? "").slice(0, HEADER_CHARS_MAX))) return false
  if (parts.length === PARTS_MAX) collector.truncated = true
  for (const part of parts) minePart(part, collector)
  return true
}

function minePart(part: string, collector: PayloadCollector): void {
  const blank = /\r?\n\r?\n/.exec(part.slice(0, HEADER_CHARS_MAX))
  if (blank === null) return
  const headers = part.slice(0, blank.index)
  const name = parameter(headers, "name") ?? ""
  const value = part.slice(blank.index + blank[0].length).replace(/\r?\n$/, "")
  mineFields([{ name, value }], { place: "multipart", kind: "param" }, collector)
  const filename = parameter(headers, "filename")
  if (filename !== undefined) collector.add(filename, "param", `multipart-filename:${name}`)
}

function parameter(headers: string, name: keyof typeof PARAMETER): string | undefined {
  const match = PARAMETER[name].exec(headers)
  return match?.[1] ?? match?.[2]
}
