/** `application/x-www-form-urlencoded`, decoded once; what is no escape stays as it is. */
export function decodeForm(text: string): string {
  const bytes = Buffer.from(text.replaceAll("+", " "))
  const decoded: number[] = []
  for (let at = 0; at < bytes.length; at++) {
    const digits = /^%([0-9a-f]{2})$/i.exec(bytes.toString("latin1", at, at + 3))?.[1]
    decoded.push(digits === undefined ? (bytes[at] ?? 0) : Number.parseInt(digits, 16))
    if (digits !== undefined) at += 2
  }
  return Buffer.from(decoded).toString()
}

/** Whether a program that decodes once more than it should sees another text. */
export function isFormEncoded(text: string): boolean {
  return /%[0-9a-f]{2}|^[^\s+]*\+\S*$/i.test(text)
}
