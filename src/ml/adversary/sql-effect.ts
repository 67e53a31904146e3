import { Database } from "bun:sqlite"

/** How a careless program puts the text, here `@`, into its query. */
const CONTEXTS = [
  ...["id = @", "name = '@'", 'name = "@"', "(name = '@')", "(id = @)", "name LIKE '%@%'"],
  ...['(name = "@")', "((name = '@'))", "((id = @))"],
] as const
/** As many columns as an attack may have guessed. */
const COLUMNS = ["name", "id, name", "id, name, secret", "id, name, secret, password"] as const
const TEMPLATES = COLUMNS.flatMap((columns) =>
  CONTEXTS.map((context) => `SELECT ${columns} FROM users WHERE ${context}`),
)

const SCHEMA = `
  CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, secret TEXT, password TEXT);
  INSERT INTO users VALUES (1, 'alice', 's1', 'p1'), (2, 'bob', 's2', 'p2'), (3, 'carol', 's3', 'p3');
  CREATE TABLE products (id INTEGER PRIMARY KEY, name TEXT, price REAL);
  INSERT INTO products VALUES (1, 'lamp', 10.5), (2, 'desk', 80);
`

/** What could write a file, load code, run long or end the transaction around the query. */
const REFUSED =
  /\b(?:attach|vacuum|pragma|load_extension|recursive|randomblob|zeroblob|readfile|writefile|commit|rollback|begin|savepoint|release|detach|reindex|replace\s*\(|printf|format|json_each|json_tree)\b/i

/** Few tables of three rows, few queries: even all of them joined stay small. */
const TABLES = /\b(?:select|users|products|sqlite_\w+)\b/gi
const TABLES_MAX = 8
const ROWS_SHOWN_MAX = 500

/** What a user may well enter: rows that one of these brings are no sign of an injection. */
const VALUES = ["", "0", "1", "2", "3", "alice", "bob", "carol"] as const
/** A string, a comment or a character, told apart to find a second statement. */
const TOKENS = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|[\s\S]/g

let opened: Database | undefined
const ordinaryRows = new Map<string, ReadonlySet<string | undefined>>()

/**
 * A check that a text makes the same rows come out of the same query as the attack does; undefined
 * for an attack that every query takes as a mere value or cannot parse.
 */
export function sqlEffectCheck(attack: string): ((text: string) => boolean) | undefined {
  for (const template of TEMPLATES) {
    const rows = injectedRows(template, attack)
    if (rows !== undefined) return (text) => injectedRows(template, text) === rows
  }
  return undefined
}

/** What comes out where the text is more than a value; undefined where it is one. */
function injectedRows(template: string, text: string): string | undefined {
  if (REFUSED.test(text) || (text.match(TABLES)?.length ?? 0) > TABLES_MAX) return undefined
  const sql = template.replaceAll("@", () => text)
  if (isStacked(sql)) return undefined
  opened ??= openDatabase()
  const rows = rowsOf(opened, sql)
  return rowsOfValues(opened, template).has(rows) ? undefined : rows
}

/** Only the first statement runs here, so the effect of another one would go unseen. */
function isStacked(sql: string): boolean {
  const code = (sql.match(TOKENS) ?? []).filter((token) => !/^(?:--|\/\*|\s)/.test(token))
  const end = code.indexOf(";")
  return end >= 0 && end < code.length - 1
}

function rowsOfValues(database: Database, template: string): ReadonlySet<string | undefined> {
  const known = ordinaryRows.get(template)
  if (known !== undefined) return known
  const rows = new Set(VALUES.map((value) => rowsOf(database, template.replaceAll("@", value))))
  ordinaryRows.set(template, rows.add("[]"))
  return rows
}

function openDatabase(): Database {
  const database = new Database(":memory:")
  database.run(SCHEMA)
  database.run("PRAGMA query_only = ON")
  return database
}

/** Only the first statement runs: what is stacked behind it does not show. */
function rowsOf(database: Database, sql: string): string | undefined {
  try {
    const statement = database.prepare(sql)
    try {
      return JSON.stringify(statement.values().slice(0, ROWS_SHOWN_MAX))
    } finally {
      statement.finalize()
    }
  } catch {
    return undefined // a syntax error is a wrong guess of the template, not an effect
  }
}
