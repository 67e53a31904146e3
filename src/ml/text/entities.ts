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
/** Browsers read these without the semicolon. */
const BARE: ReadonlySet<string> = new Set(["lt", "gt", "quot", "amp"])
const SEMICOLON = 0x3b

/** The named reference whose name begins at `from`; `length` counts the name and its semicolon. */
export function entityCodePoint(
  text: ByteText,
  from: number,
): { codePoint: number; length: number } | undefined {
  let name = ""
  for (let index = from; index <= from + NAME_LENGTH_MAX; index++) {
    const byte = text.at(index)
    if (byte === SEMICOLON) return found(name, name.length + 1)
    if (!isLetter(byte)) break
    name += String.fromCharCode(byte)
  }
  return BARE.has(name) ? found(name, name.length) : undefined
}

function found(name: string, length: number): { codePoint: number; length: number } | undefined {
  const codePoint = NAMED.get(name) ?? NAMED.get(name.toLowerCase())
  return codePoint === undefined ? undefined : { codePoint, length }
}

function isLetter(byte: number): boolean {
  const folded = byte | 0x20
  return folded >= 0x61 && folded <= 0x7a
}
