import type { Program, SqlTemplate } from "./templates.ts"
import type { Token } from "./tokens.ts"

type Tokens = readonly Token[]

/**
 * Words that make code of what would else be a value or a list of columns; those of a sort order
 * or a range are not among them.
 */
const STRUCTURE: ReadonlySet<string> = new Set(
  (
    "and or not xor union select intersect except in like between is case when exists order group " +
    "having limit procedure into where from regexp rlike ilike div glob match waitfor exec execute " +
    "if drop delete insert update declare truncate alter create shutdown begin collate"
  ).split(" "),
)
const ASSIGNMENT = /,\s*\w+\s*=/
/** MySQL compares or computes two empty texts, and every row is equal to the zero that comes out. */
const BARE_OPERATOR = /^\w{0,32}(['"])\s*(?:<=>|[-=+*/%^&|])\s*\1\w{0,32}$/
const LITERALS: ReadonlySet<Token["kind"]> = new Set(["string", "identifier", "space"])
const JOINING = /^(?:;|\|\||&&)$/
/** How people write values, where a program has no quotes around them. */
const VALUES_IN_PROSE: readonly RegExp[] = [
  // with 0 or 1 behind it, it is a condition
  /^\s*\d{1,9}\s+(?:and|or)\s+(?:[2-9]|\d{2,9})\s*$/i,
  /^\s*(?:true|yes)\s+(?:and|or)\s+(?:false|no)\s*$/i,
  /^\s*(?:\d{1,9}\s+)?(?:between\s+\S{1,32}\s+and\s+\S{1,32}|limit\s+\d{1,9}|like\s+\w{1,32})\s*$/i,
]
/** A formula, whose value is a value; unless it takes time or is there for its error. */
const FORMULA =
  /^\s*(?!sleep|pg_sleep|benchmark|extractvalue|updatexml|load_file)\w{1,32}\(\s*[-+.\w]{0,32}\s*\)\s*$/i
/** `the 'or' operator`: a word in quotes between others. */
const QUOTED_WORD = /^[\w\s,.]{0,200}[a-z]\s+(['"])\w{1,32}\1\s+[a-z][\w\s,.]{0,200}$/i

/**
 * Whether the payload stays a value: inside of one literal where the program has quotes around it,
 * and without a word, call or separator of SQL where it has none. What is confined has no effect,
 * whatever it looks like.
 *
 * @see Su and Wassermann, The essence of command injection attacks in web applications, POPL 2006
 */
export function isConfined(template: SqlTemplate, program: Program, tokens: Tokens): boolean {
  const within = tokensWithin(program, tokens)
  const [place] = program.places
  if (place === undefined) return true
  const value = program.text.slice(place.start, place.end)
  const assigns = template.slot !== undefined && ASSIGNMENT.test(value)
  if (template.quote === "") return isPlain(value) || !(assigns || hasCode(within))
  if (QUOTED_WORD.test(value)) return true
  if (within.every(({ kind }) => LITERALS.has(kind))) return true
  if (tokens.some(({ kind }) => kind === "invalid")) return false
  const isCut = within.some(({ kind }) => kind === "comment")
  return !isCut && !assigns && !BARE_OPERATOR.test(value) && !hasCode(within)
}

/** A value as people write it, with no more than a semicolon behind it. */
function isPlain(value: string): boolean {
  const text = value.replace(/[;\s]{1,8}$/, "")
  return (
    /^\s*-?[\w.]{0,64}$/.test(text) || [...VALUES_IN_PROSE, FORMULA].some((one) => one.test(text))
  )
}

/** What the payload is made of, where it is not confined. */
export function codeOf(template: SqlTemplate, program: Program, tokens: Tokens) {
  const within = tokensWithin(program, tokens)
  return {
    hasCode: hasCode(within),
    /** A value that ends its literal, and a comment that cuts off what follows. */
    isOnlyCut:
      template.quote !== "" &&
      template.isSecondOrder !== true &&
      within.every(({ kind }) => LITERALS.has(kind) || kind === "comment"),
  }
}

/** Whether there is a word, call or separator of SQL. */
function hasCode(within: Tokens): boolean {
  return within.some((token, at) => isCode(token, within[at + 1]))
}

function tokensWithin({ places }: Program, tokens: Tokens): Tokens {
  return tokens.filter(({ start, end }) => {
    return places.some((place) => start < place.end && end > place.start)
  })
}

function isCode(token: Token, next: Token | undefined): boolean {
  if (token.kind === "invalid") return true
  if (token.kind === "variable") return token.text.startsWith("@@")
  if (token.kind === "operator") return JOINING.test(token.text)
  if (token.kind !== "word") return false
  return STRUCTURE.has(token.text.toLowerCase()) || next?.text === "("
}
