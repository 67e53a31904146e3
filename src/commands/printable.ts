/** Control characters, bidirectional marks and line separators: what a terminal may obey. */
const OBEYED = /[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu

const HEX_ROW_BYTES = 16
const BYTES_SHOWN_MAX = 1_048_576

/** One line of text whose control characters are shown as escapes. */
export function printable(text: string): string {
  return text.replace(OBEYED, escaped)
}

/**
 * Bytes as a terminal can show them: UTF-8 with its control characters escaped, anything else as rows
 * of hex; at most 1 MiB, and it says what is left out.
 */
export function printableBytes(bytes: Uint8Array): string {
  const shown = bytes.subarray(0, BYTES_SHOWN_MAX)
  const rest = bytes.length - shown.length
  const note = rest > 0 ? `\n... ${rest} more bytes: --json has them` : ""
  return `${asText(shown, rest > 0) ?? hexRows(shown)}${note}`
}

/** Undefined for what is not UTF-8; a cut may end within a character. */
function asText(bytes: Uint8Array, isCut: boolean): string | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: isCut })
    return text.replace(OBEYED, (found) => (found === "\n" ? found : escaped(found)))
  } catch {
    return undefined
  }
}

function hexRows(bytes: Uint8Array): string {
  const rows: string[] = []
  for (let at = 0; at < bytes.length; at += HEX_ROW_BYTES) {
    const row = Buffer.from(bytes.subarray(at, at + HEX_ROW_BYTES))
    const hex = row.toString("hex").replace(/../g, "$& ")
    const text = row.toString("latin1").replace(/[^\x20-\x7e]/g, ".")
    rows.push(`${at.toString(16).padStart(8, "0")}  ${hex.padEnd(HEX_ROW_BYTES * 3)} ${text}`)
  }
  return rows.join("\n")
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
}
