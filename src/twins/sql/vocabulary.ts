import type { Dialect, Token } from "./tokens.ts"

/** Words that a parenthesis may follow without calling them. */
export const NO_CALLS: ReadonlySet<string> = new Set(
  (
    "select and or not in values where from union all when then else case on by having like between " +
    "is exists distinct as limit set over any some using into table join inner outer except " +
    "intersect returning offset top xor div mod regexp rlike ilike escape end group order with"
  ).split(" "),
)
/** Words that SQLite has another one for. */
export const RENAMED: ReadonlyMap<string, string> = new Map([
  ["div", "/"],
  ["xor", "<>"],
  ["ilike", "LIKE"],
  ["rownum", "1"],
])
const SESSION_WORDS: ReadonlySet<string> = new Set([
  ...["current_user", "session_user", "system_user", "current_catalog"],
])
export const NAMED_BEFORE: ReadonlySet<string> = new Set([
  "from",
  "join",
  "into",
  "update",
  "table",
  "as",
  ".",
])
/** All catalogues joined with themselves: what it takes depends on the machine, and is long. */
export const HEAVY_QUERY =
  /^select count\(\*\) from (?:(?:all_|user_|sys|domain|rdb|information_schema|pg_|sqlite_)[\w$.]* (?:as )?\w+(?: , |$)){3,12}$/i
export const HEAVY_QUERY_SECONDS = "5"
export const STRINGISH = /^'|^(?:char|concat|CAST) ?\(|^\(SELECT content/i

/** Schemas whose tables lie in the one schema of the twin, or under `schema_table`. */
const DROPPED_SCHEMAS: ReadonlySet<string> = new Set([
  "public",
  "dbo",
  "pg_catalog",
  "master",
  "main",
])
const JOINED_SCHEMAS: ReadonlySet<string> = new Set(["information_schema", "mysql", "sys"])

/** A name as SQLite reads it. */
export function written(token: Token): string {
  return token.kind === "identifier" ? `"${token.text.replaceAll('"', '""')}"` : token.text
}

/** The parts of a name without a schema that the twin has no counterpart for. */
export function withoutSchema(parts: readonly Token[]): readonly Token[] {
  const [schema, ...rest] = parts
  const name = schema?.text.toLowerCase() ?? ""
  const [first, ...others] = rest
  if (schema === undefined || first === undefined) return parts
  if (DROPPED_SCHEMAS.has(name)) return withoutSchema(rest)
  if (JOINED_SCHEMAS.has(name)) {
    return [{ ...first, kind: "word", text: `${name}_${first.text}` }, ...others]
  }
  return parts
}

/** MySQL takes HAVING for a further condition; behind OR that would have to be put in parentheses. */
export function isUngrouped(pieces: readonly string[]): boolean {
  const words = pieces.map((piece) => piece.toLowerCase())
  return words.includes("where") && !words.some((word) => /^(?:group|or|union)$/.test(word))
}

/** `hours:minutes[:seconds]` of WAITFOR DELAY in seconds; 0 where it is none. */
export function secondsOf(time: string): number {
  const [, hours = "0", minutes = "0", seconds = "0"] =
    /^(\d{1,2}):(\d{1,2})(?::(\d{1,2}(?:\.\d+)?))?$/.exec(time.trim()) ?? []
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)
}

/** As statements are told apart: one blank between tokens, strings without their content. */
export function wordsOf(tokens: readonly Token[]): string {
  return tokens.map(({ kind, text }) => (kind === "string" ? "'...'" : text)).join(" ")
}

/** Whether a word without parentheses is a value of the session. */
export function isSessionWord(word: string, dialect: Dialect): boolean {
  if (dialect === "sqlite") return false
  return SESSION_WORDS.has(word) || (dialect === "postgresql" && word === "user")
}

/** MySQL compares a text with a number as numbers: every name is 0, as is the empty text. */
export function coerced(sql: string, dialect: Dialect): string {
  if (dialect !== "mysql") return sql
  const number =
    /\b(\w+) = ('' [-+*/%&|] (?:''|\d+)|\(\('' \| (?:''|\d+)\) - \('' & (?:''|\d+)\)\))/g
  return sql
    .replace(/\b(\w+) = '' = ''/g, "($1 = '') = 0")
    .replace(number, "CAST($1 AS NUMERIC) = ($2)")
}

/** A number in SQLite and PostgreSQL, and a text elsewhere. */
export function hexadecimal(text: string, dialect: Dialect): string {
  if (dialect === "sqlite" || dialect === "postgresql") return text
  const digits = text.replace(/^0x|^x'|'$/gi, "")
  return `CAST(X'${digits.length % 2 === 0 ? digits : `0${digits}`}' AS TEXT)`
}
