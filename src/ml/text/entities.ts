import type { ByteText } from "./byte-text.ts"

/**
 * Named character references that stand for ASCII: what hides markup or code.
 *
 * @see https://html.spec.whatwg.org/multipage/named-characters.html
 */
const NAMED: ReadonlyMap<string, number> = new Map(
  Object.entries({
    lt: "<",
    gt: ">",
    amp: "&",
    quot: '"',
    apos: "'",
    nbsp: " ",
    Tab: "\t",
    NewLine: "\n",
    colon: ":",
    semi: ";",
    lpar: "(",
    rpar: ")",
    sol: "/",
    bsol: "\\",
    num: "#",
    excl: "!",
    equals: "=",
    grave: "`",
    comma: ",",
    period: ".",
    lsqb: "[",
    rsqb: "]",
    lbrace: "{",
    rbrace: "}",
    lcub: "{",
    rcub: "}",
    vert: "|",
    dollar: "$",
    percnt: "%",
    plus: "+",
    ast: "*",
    quest: "?",
    commat: "@",
  }).map(([name, character]) => [name, character.charCodeAt(0)]),
)
const NAME_LENGTH_MAX = 7
/** `lt`, `gt`, `quot` and `amp`, a byte each letter: browsers read them without the semicolon. */
const BARE: ReadonlySet<number> = new Set([0x6c74, 0x6774, 0x71756f74, 0x616d70])
const BARE_LENGTH_MAX = 4
const SEMICOLON = 0x3b

/** The named reference whose name begins at `from`; `length` counts the name and its semicolon. */
export function entityCodePoint(
  text: ByteText,
  from: number,
): { codePoint: number; length: number } | undefined {
  let letters = 0
  let end = from
  for (; end < from + NAME_LENGTH_MAX && isLetter(text.at(end)); end++) {
    letters = (letters << 8) | text.at(end)
  }
  const length = end - from
  if (text.at(end) === SEMICOLON) return found(nameAt(text, from, end), length + 1)
  // most ampersands begin no entity: their letters are compared without making a text of them
  if (length > BARE_LENGTH_MAX || !BARE.has(letters)) return undefined
  return found(nameAt(text, from, end), length)
}

function nameAt({ bytes }: ByteText, from: number, to: number): string {
  return String.fromCharCode(...bytes.subarray(from, to))
}

function found(name: string, length: number): { codePoint: number; length: number } | undefined {
  const codePoint = NAMED.get(name) ?? NAMED.get(name.toLowerCase())
  return codePoint === undefined ? undefined : { codePoint, length }
}

function isLetter(byte: number): boolean {
  const folded = byte | 0x20
  return folded >= 0x61 && folded <= 0x7a
}
