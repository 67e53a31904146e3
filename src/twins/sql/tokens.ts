/** The SQL dialects that the twin reads; SQLite is the one that it runs. */
const DIALECTS = ["sqlite", "mysql", "postgresql", "tsql"] as const
export type Dialect = (typeof DIALECTS)[number]

export type TokenKind =
  | "space"
  | "comment"
  | "string"
  | "identifier"
  | "word"
  | "number"
  | "hex"
  | "variable"
  | "operator"
  | "invalid"

export interface Token {
  readonly kind: TokenKind
  /** Of a string or an identifier in quotes: its content, unescaped. Else as it is written. */
  readonly text: string
  /** Characters of the program. */
  readonly start: number
  readonly end: number
}

/** Patterns of a kind, tried in this order; each is linear in what it reads. */
type Grammar = readonly (readonly [TokenKind | "version_comment", RegExp])[]

const SINGLE = /'[^']*(?:''[^']*)*'/y
const DOUBLE = /"[^"]*(?:""[^"]*)*"/y
const BLOCK_COMMENT = /\/\*(?:[^*]|\*(?!\/))*(?:\*\/|$)/y
const COMMON: Grammar = [
  ["hex", /0x[0-9a-f]+(?![0-9a-z_])/iy],
  ["number", /(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[+-]?[0-9]+)?/iy],
  ["word", /[a-z_\u0080-\uffff][\w$\u0080-\uffff]*/iy],
  ["operator", /<=>|->>|->|::|\|\||&&|<>|!=|<=|>=|:=|==|[-+*/%(),.;<>=!~^&|?:@]/y],
]

/**
 * What each dialect reads in its own way, before what all read alike.
 *
 * @see https://dev.mysql.com/doc/refman/8.0/en/language-structure.html,
 *   https://www.postgresql.org/docs/15/sql-syntax-lexical.html, https://sqlite.org/lang_comment.html
 */
const GRAMMARS: Readonly<Record<Dialect, Grammar>> = {
  sqlite: [
    ["space", /\s+/y],
    ["comment", /--[^\n]*/y],
    ["comment", BLOCK_COMMENT],
    ["string", SINGLE],
    ["identifier", DOUBLE],
    ["identifier", /\[[^\]]*\]/y],
    ["identifier", /`[^`]*(?:``[^`]*)*`/y],
    ["variable", /[@$:][\w]+/y],
    ...COMMON,
  ],
  mysql: [
    ["space", /\s+/y],
    ["comment", /#[^\n]*/y],
    ["comment", /--(?=\s|$)[^\n]*/y],
    ["version_comment", /\/\*M?!(?:[0-9]{5,6})?/y],
    ["version_comment", /\*\//y],
    ["comment", BLOCK_COMMENT],
    ["string", /(?:n|_[a-z0-9]+\s*)?'[^'\\]*(?:(?:''|\\[\s\S])[^'\\]*)*'/iy],
    ["string", /"[^"\\]*(?:(?:""|\\[\s\S])[^"\\]*)*"/y],
    ["identifier", /`[^`]*(?:``[^`]*)*`/y],
    ["hex", /x'[0-9a-f]*'/iy],
    ["variable", /@@?[\w.$]+/y],
    ...COMMON,
  ],
  postgresql: [
    ["space", /\s+/y],
    ["comment", /--[^\n]*/y],
    ["comment", BLOCK_COMMENT],
    ["string", /\$([a-z_]?[a-z0-9_]*)\$(?:[^$]|\$(?!\1\$))*\$\1\$/iy],
    ["string", /(?:e|n|u&)'[^'\\]*(?:(?:''|\\[\s\S])[^'\\]*)*'/iy],
    ["string", SINGLE],
    ["identifier", DOUBLE],
    ["variable", /[@$:][\w]+/y],
    ...COMMON,
  ],
  tsql: [
    ["space", /\s+/y],
    ["comment", /--[^\n]*/y],
    ["comment", BLOCK_COMMENT],
    ["string", /n?'[^']*(?:''[^']*)*'/iy],
    ["identifier", DOUBLE],
    ["identifier", /\[[^\]]*\]/y],
    ["variable", /@@?[\w$]+/y],
    ...COMMON,
  ],
}

/** Reads a program as a dialect does. Total: what is no token is `invalid`, one character wide. */
export function tokenize(program: string, dialect: Dialect): readonly Token[] {
  const tokens: Token[] = []
  for (let start = 0; start < program.length; ) {
    const token = tokenAt(program, start, dialect)
    tokens.push(token)
    start = token.end
  }
  return tokens
}

function tokenAt(program: string, start: number, dialect: Dialect): Token {
  for (const [kind, pattern] of GRAMMARS[dialect]) {
    pattern.lastIndex = start
    const text = pattern.exec(program)?.[0]
    if (text === undefined || text === "") continue
    const end = start + text.length
    // A comment for one engine is a blank in front of and behind what MySQL runs.
    if (kind === "version_comment") return { kind: "space", text, start, end }
    return { kind, text: contentOf(kind, text, dialect), start, end }
  }
  return { kind: "invalid", text: program[start] ?? "", start, end: start + 1 }
}

function contentOf(kind: TokenKind, text: string, dialect: Dialect): string {
  if (kind === "identifier") return unquote(text)
  if (kind !== "string") return text
  const quoted = text.replace(/^(?:n|e|u&|_[a-z0-9]+\s*)(?=')/i, "")
  if (quoted.startsWith("$")) return quoted.replace(/^\$\w*\$|\$\w*\$$/g, "")
  const hasEscapes = dialect === "mysql" || /^e'/i.test(text)
  return hasEscapes ? unescapeBackslashes(unquote(quoted)) : unquote(quoted)
}

function unquote(text: string): string {
  const quote = text.at(-1) ?? ""
  const inner = text.slice(1, -1)
  return quote === "]" ? inner : inner.replaceAll(quote + quote, quote)
}

const ESCAPED: Readonly<Record<string, string>> = {
  "0": "\0",
  b: "\b",
  n: "\n",
  r: "\r",
  t: "\t",
  Z: "\x1a",
  "%": "\\%",
  _: "\\_",
}

function unescapeBackslashes(text: string): string {
  return text.replace(/\\([\s\S])/g, (_, character: string) => ESCAPED[character] ?? character)
}
