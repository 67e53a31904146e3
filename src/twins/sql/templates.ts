import type { Dialect } from "./tokens.ts"

/** What comes of a program: rows, a login by rows, or a table that a page shows afterwards. */
export type Outcome = "rows" | "login" | "stored"

export interface SqlTemplate {
  readonly name: string
  /** `@` = the payload, `#` = the select list; brackets: see `textOf`. */
  readonly text: string
  /** What stands around the payload. */
  readonly quote: "'" | '"' | ""
  readonly outcome: Outcome
  /** Select lists to try, the usual one first; one without a list of its own. */
  readonly widths: readonly number[]
  /** Which value of the tables is the payload itself, where it is stored. */
  readonly slot?: "posts.author" | "posts.body" | "posts.rating" | "users.email"
  /** The payload says in which order or number rows come, which is a user's to say. */
  readonly isArrangement?: boolean
  /** Only payloads with these words can fit: programs that few others would make sense in. */
  readonly fits?: RegExp
  /** The application writes a backslash before quotes, and forgets the backslash itself. */
  readonly escapesQuotes?: boolean
  /** The payload is stored through a parameter first, and read back into the program. */
  readonly isSecondOrder?: boolean
}

/** A list of n columns holds a canary for every n. */
const COLUMNS = ["email", "id", "name", "role", "password", "id", "name", "role"] as const
/** Those that UNION needs are found by trying. */
const WIDTHS = [3, 1, 2, 4, 5, 6, 7, 8] as const
const WIDTH_MAX = 64

function columnsOf(width: number): string {
  return Array.from({ length: width }, (_, index) => COLUMNS[index % COLUMNS.length]).join(", ")
}

/** The widths of a template, and that of a payload with a list of more columns than usual. */
export function widthsOf(template: SqlTemplate, payload: string): readonly number[] {
  const list =
    /\b(?:select|order\s+by)\b([\s\S]*?)(?:\bfrom\b|--|#|;|\/\*|$)/i.exec(payload)?.[1] ?? ""
  const width = withoutNested(list).split(",").length
  const isUsual = width <= WIDTHS.length || width > WIDTH_MAX || template.widths !== WIDTHS
  return isUsual ? template.widths : [...template.widths, width]
}

/** A list without its texts, and without what stands in parentheses, 8 deep at most. */
function withoutNested(list: string): string {
  let flat = list.replace(/'[^']*'/g, "")
  for (let depth = 0; depth < 8 && flat.includes("("); depth++) {
    flat = flat.replace(/\([^()]*\)/g, "")
  }
  return flat
}

/** The same place of a program in each of the quotes that it may have. */
function selects(
  name: string,
  condition: string,
  outcome: "rows" | "login" = "rows",
): readonly SqlTemplate[] {
  return [
    { name, quote: "'" as const, text: condition },
    { name: `${name}_double_quoted`, quote: '"' as const, text: condition.replaceAll("'", '"') },
  ].map((place) => ({
    ...place,
    text: `SELECT # FROM users WHERE ${place.text}`,
    outcome,
    widths: WIDTHS,
  }))
}

function bare(name: string, text: string, widths: readonly number[] = [3]): SqlTemplate {
  return { name, text, quote: "", outcome: "rows", widths }
}

function arranges(name: string, text: string): SqlTemplate {
  return { ...bare(name, text), isArrangement: true }
}

/** Where the payload goes on behind the subquery that it closes. */
function inDerivedTable(name: string, condition: string): readonly SqlTemplate[] {
  return variantsOf(name, condition).map((place) => ({
    ...place,
    text: `SELECT # FROM (SELECT * FROM users WHERE [${place.text}]) AS t`,
    fits: /\)\s*(?:as\s+)?\w+\s+where\b/i,
  }))
}

/** Where the payload adds the WHERE itself. */
function inJoin(name: string, condition: string): readonly SqlTemplate[] {
  return variantsOf(name, condition).map((place) => ({
    ...place,
    text: `SELECT # FROM users JOIN (SELECT 1 AS one) AS other ON {${place.text}}`,
    fits: /\bwhere\b/i,
  }))
}

function variantsOf(name: string, condition: string): readonly SqlTemplate[] {
  const common = { outcome: "rows", widths: WIDTHS } as const
  return [
    { name, quote: "'", text: condition, ...common },
    { name: `${name}_double_quoted`, quote: '"', text: condition.replaceAll("'", '"'), ...common },
    { name: `${name}_numeric`, quote: "", text: "id = @", ...common },
  ]
}

function logins(name: string, condition: string): readonly SqlTemplate[] {
  return selects(name, condition, "login")
}

function stores(
  name: string,
  slot: Exclude<SqlTemplate["slot"], undefined>,
  text: string,
): SqlTemplate {
  const quote = text.includes("'@'") ? "'" : text.includes('"@"') ? '"' : ""
  return { name, slot, text, quote, outcome: "stored", widths: [0] }
}

const DOCUMENT = "json_object('name', name, 'role', role)"

export const SQL_TEMPLATES: readonly SqlTemplate[] = [
  bare("numeric", "SELECT # FROM users WHERE id = @", WIDTHS),
  ...selects("quoted", "name = '@'"),
  ...logins("login_name", "name = '@' AND password = 'guess'"),
  ...logins("login_password", "name = 'admin' AND password = '@'"),
  ...logins("login_both", "name = '@' AND password = '@'"),
  ...logins("login_parenthesised", "(name = '@') AND (password = 'guess')"),
  ...logins("login_in_parentheses", "(name = 'admin' AND password = '@')"),
  ...selects("like", "name LIKE '%@%'"),
  ...selects("like_parenthesised", "(name LIKE '%@%')"),
  ...selects("parenthesised", "(name = '@')"),
  ...selects("parenthesised_twice", "((name = '@'))"),
  bare("numeric_parenthesised", "SELECT # FROM users WHERE (id = @)", WIDTHS),
  bare("numeric_parenthesised_twice", "SELECT # FROM users WHERE ((id = @))", WIDTHS),
  ...selects("parenthesised_deeply", "{name = '@'}"),
  bare("numeric_parenthesised_deeply", "SELECT # FROM users WHERE {id = @}", WIDTHS),
  bare("numeric_appended", "SELECT # FROM users WHERE id = 1@", WIDTHS),
  ...inDerivedTable("derived_table", "name = '@'"),
  ...inJoin("join_condition", "name = '@'"),
  ...selects("followed", "name = '@' AND role <> 'hidden'"),
  bare("numeric_followed", "SELECT # FROM users WHERE id = @ AND role <> 'hidden'", WIDTHS),
  ...selects("in_list", "name IN ('@')"),
  bare("numeric_in_list", "SELECT # FROM users WHERE id IN (0, @)", WIDTHS),
  arranges("order_by", "SELECT id, name FROM users ORDER BY @"),
  arranges("order_direction", "SELECT id, name FROM users ORDER BY name @"),
  arranges("limit", "SELECT id, name FROM users LIMIT @"),
  ...selects("limited", "name = '@' ORDER BY id LIMIT 10"),
  {
    ...bare("json_path", `SELECT json_extract(${DOCUMENT}, '$.@'), name FROM users WHERE id = 1`),
    quote: "'",
  },
  {
    ...bare("json_condition", `SELECT # FROM users WHERE json_extract(${DOCUMENT}, '$.@') = 'x'`),
    quote: "'",
    widths: WIDTHS,
  },
  {
    ...bare("escaped_quotes", "SELECT # FROM users WHERE name = '@'", WIDTHS),
    quote: "'",
    escapesQuotes: true,
  },
  stores("insert_last", "posts.body", "INSERT INTO posts (author, body) VALUES ('guest', '@')"),
  stores("insert_first", "posts.author", "INSERT INTO posts (author, body) VALUES ('@', 'hello')"),
  stores(
    "insert_middle",
    "posts.body",
    "INSERT INTO posts (author, body, rating) VALUES ('guest', '@', 1)",
  ),
  stores("insert_only", "posts.body", "INSERT INTO posts (body) VALUES ('@')"),
  stores(
    "insert_double_quoted",
    "posts.body",
    'INSERT INTO posts (author, body) VALUES ("guest", "@")',
  ),
  stores(
    "insert_numeric",
    "posts.rating",
    "INSERT INTO posts (author, rating) VALUES ('guest', @)",
  ),
  stores("update", "users.email", "UPDATE users SET email = '@' WHERE id = 2"),
  stores("update_double_quoted", "users.email", 'UPDATE users SET email = "@" WHERE id = 2'),
  stores("update_numeric", "users.email", "UPDATE users SET email = @ WHERE id = 2"),
  {
    ...bare("second_order", "UPDATE users SET password = 'new' WHERE name = '@'", [0]),
    ...({ quote: "'", outcome: "stored", isSecondOrder: true } as const),
  },
  {
    ...bare("second_order_select", "SELECT # FROM users WHERE name = '@'", WIDTHS),
    quote: "'",
    isSecondOrder: true,
  },
]

/**
 * Which engines have programs like this one: text in double quotes is MySQL's and SQLite's, and a
 * statement of T-SQL behind a sort order needs no sign at all, as no sentence about SQL does.
 */
export function dialectsOf(template: SqlTemplate): readonly Dialect[] {
  if (template.escapesQuotes === true) return ["mysql"]
  if (template.isArrangement === true || template.text.includes("1@"))
    return ["sqlite", "mysql", "postgresql"]
  return template.quote === '"' ? ["sqlite", "mysql"] : ["sqlite", "mysql", "postgresql", "tsql"]
}

export interface Program {
  readonly text: string
  /** Where the payload stands, in characters of the text. */
  readonly places: readonly { readonly start: number; readonly end: number }[]
}

/** The template with a value in its place, as an application makes it that joins text. */
export function programOf(template: SqlTemplate, width: number, value: string): Program {
  const inserted = template.escapesQuotes === true ? value.replace(/['"]/g, "\\$&") : value
  const parts = textOf(template, width, value).split("@")
  let text = parts[0] ?? ""
  const places: { start: number; end: number }[] = []
  for (const part of parts.slice(1)) {
    places.push({ start: text.length, end: text.length + inserted.length })
    text += inserted + part
  }
  return { text, places }
}

/** The same value as a careful application has it: it can only be a value. For SQLite. */
export function baselineOf(template: SqlTemplate, width: number, value: string): string {
  const { quote } = template
  const text = textOf(template, width, value)
  if (quote !== "") return text.replaceAll("@", () => value.replaceAll(quote, quote + quote))
  return text.replaceAll("@", () => `'${value.replaceAll("'", "''")}'`)
}

/** `{` and `}` are as many parentheses as the payload closes, `[` and `]` one less. */
function textOf(template: SqlTemplate, width: number, value: string): string {
  const depth = closedBy(value)
  const inner = Math.max(0, depth - 1)
  return template.text
    .replace("#", columnsOf(width))
    .replace("{", "(".repeat(depth))
    .replace("}", ")".repeat(depth))
    .replace("[", "(".repeat(inner))
    .replace("]", ")".repeat(inner))
}

/** Parentheses that a payload closes where it leaves its literal. */
export function closedBy(payload: string): number {
  const run = /^[^)]{0,64}?['"]?\s?(\)(?:\s?\)){0,9})/.exec(payload)?.[1] ?? ""
  return run.replace(/\s/g, "").length
}
