import type { Database } from "bun:sqlite"
import type { SqlTemplate } from "./templates.ts"
import type { Statement } from "./translate.ts"

/** What a program did, as far as its user or its database shows it. */
export interface Observation {
  /** Of the program's own statement, or of the page that shows what was stored. */
  readonly rows: string
  readonly rowCount: number
  /** Statements behind the first that ran or would have run, as they are written. */
  readonly further: number
  /** Message of the statement that failed; the ones behind it did not run. */
  readonly failure: string | undefined
  /** All of its statements ran. */
  readonly isAnswered: boolean
  /** Some statement is none that its engine could parse. */
  readonly isMalformed: boolean
  /** All tables without the value that was stored; undefined where nothing ran that changes them. */
  readonly tables: string | undefined
  /** Where the first statement wrote its rows. */
  readonly outfile: string | undefined
}

const ROWS_MAX = 200
const PAGE_OF: Readonly<Record<string, string>> = {
  posts: "SELECT author, body, rating FROM posts",
  users: "SELECT name, email, role FROM users WHERE id = 2",
}

interface Execution {
  /** Of the program's own statement. */
  readonly own: readonly (readonly unknown[])[]
  readonly further: number
  readonly failure: string | undefined
  readonly isMalformed: boolean
}

/** Runs the statements in their order until one fails. */
export function observe(
  database: Database,
  statements: readonly Statement[],
  template: SqlTemplate,
): Observation {
  const { own, further, failure, isMalformed } = execute(database, statements)
  const isWhole = failure === undefined && !isMalformed
  const hasRun = further > 0 || isWhole
  const page = template.slot === undefined || !hasRun ? own : pageOf(database, template.slot)
  return {
    ...{ rows: JSON.stringify(page), rowCount: page.length, further, failure, isMalformed },
    isAnswered: isWhole,
    tables: hasRun && changes(template, statements) ? tablesOf(database, template) : undefined,
    outfile: isWhole ? statements[0]?.outfile : undefined,
  }
}

function execute(database: Database, statements: readonly Statement[]): Execution {
  let own: Execution["own"] = []
  for (const [index, statement] of statements.entries()) {
    const rows = runStatement(database, statement)
    const further = Math.max(0, index - 1)
    if (rows === undefined) return { own, further, failure: undefined, isMalformed: true }
    if (typeof rows === "string") return { own, further, failure: rows, isMalformed: false }
    if (index === 0) own = rows
  }
  const further = Math.max(0, statements.length - 1)
  return { own, further, failure: undefined, isMalformed: false }
}

/** Its rows, the message of its failure, or undefined where it is no statement. */
function runStatement(database: Database, { sql, isForeign }: Statement) {
  if (isForeign) return []
  return sql === undefined ? undefined : rowsOf(database, sql)
}

/** Whether a program can leave the database other than it found it. */
export function changes(template: SqlTemplate, statements: readonly Statement[]): boolean {
  return template.outcome === "stored" || statements.length > 1
}

/** The rows, or the message of the failure. */
function rowsOf(database: Database, sql: string): readonly (readonly unknown[])[] | string {
  try {
    const statement = database.prepare(sql)
    try {
      return statement.values().slice(0, ROWS_MAX)
    } finally {
      statement.finalize()
    }
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function pageOf(database: Database, slot: string): readonly (readonly unknown[])[] {
  const page = rowsOf(database, PAGE_OF[slot.split(".")[0] ?? ""] ?? "")
  return typeof page === "string" ? [] : page
}

/** All rows and names. The stored value differs from baseline to program by itself: it is left out. */
export function tablesOf(database: Database, { slot }: SqlTemplate): string {
  const post = ["author", "body", "rating"].map((column) =>
    slot === `posts.${column}` ? `CASE WHEN id IS NULL THEN 0 ELSE ${column} END` : column,
  )
  const user = ["id", "name", "password", "email", "role"].map((column) =>
    slot === `users.${column}` ? `CASE WHEN id = 2 THEN 0 ELSE ${column} END` : column,
  )
  const queries = [
    `SELECT ${user.join(", ")} FROM users`,
    `SELECT ${post.join(", ")} FROM posts`,
    "SELECT * FROM secrets",
    "SELECT name FROM sqlite_schema",
  ]
  return JSON.stringify(queries.map((query) => rowsOf(database, query)))
}
