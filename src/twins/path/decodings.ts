/** Replaces each percent escape, `%2e` or IIS' `%u002e`, once; what is no escape stays. */
export function decodePercent(text: string): string {
  const unicode = text.replace(/%u([0-9a-f]{4})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
  return unicode.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) =>
    Buffer.from(escapes.replaceAll("%", ""), "hex").toString("utf8"),
  )
}

/** As `decodePercent`, for a reader of UTF-8 that takes a character in more bytes than it needs. */
export function decodeOverlong(text: string): string {
  return lenientUtf8(percentBytes(text))
}

/** What Windows makes of characters that its code page lacks, as far as paths are concerned. */
export function bestFit(text: string): string {
  return text
    .normalize("NFKC")
    .replace(/[\u2044\u2215\u29f8]/g, "/")
    .replace(/[\u2216\u29f5]/g, "\\")
}

function percentBytes(text: string): Uint8Array {
  const isBytes = /^[\0-\xff]*$/.test(text)
  const bytes = Buffer.from(text, isBytes ? "latin1" : "utf8").toString("latin1")
  const decoded = bytes.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
  return Buffer.from(decoded, "latin1")
}

/** Lead byte -> how many bytes follow and the bits that the lead holds; continuations unchecked. */
const LEADS = [
  { from: 0xfc, following: 5, mask: 0x01 },
  { from: 0xf8, following: 4, mask: 0x03 },
  { from: 0xf0, following: 3, mask: 0x07 },
  { from: 0xe0, following: 2, mask: 0x0f },
  { from: 0xc0, following: 1, mask: 0x1f },
] as const

function lenientUtf8(bytes: Uint8Array): string {
  let text = ""
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index] ?? 0
    const lead = LEADS.find(({ from }) => byte >= from)
    let code = lead === undefined ? byte : byte & lead.mask
    for (let left = lead?.following ?? 0; left > 0; left--) {
      code = code * 64 + ((bytes[++index] ?? 0) & 0x3f)
    }
    text += code <= 0x10ffff ? String.fromCodePoint(code) : "\ufffd"
  }
  return text
}
