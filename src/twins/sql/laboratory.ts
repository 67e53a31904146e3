import { Database } from "bun:sqlite"
import { changes, type Observation, observe, tablesOf } from "./observe.ts"
import { type SeedValue, seededDatabase } from "./schema.ts"
import type { SqlTemplate } from "./templates.ts"
import type { Statement } from "./translate.ts"

/** A table or a column that a payload takes for granted, as the attacker knows the application. */
export interface Presumed {
  readonly table?: string
  readonly column?: string
}

/** Statements that no transaction may contain, or that one does not undo. */
const UNBOUND = /^\s*(?:attach|detach|reindex|analyze)\b/i

/** The database of one request. Every run begins with it as it was. */
export class Laboratory {
  readonly #canary: string
  readonly #seed: SeedValue
  #opened: Database | undefined
  #image: Uint8Array | undefined

  constructor(canary: string, seed: SeedValue) {
    this.#canary = canary
    this.#seed = seed
  }

  /** Made when something is run: most of what is harmless never gets as far. */
  get #database(): Database {
    this.#opened ??= seededDatabase(this.#canary, this.#seed)
    return this.#opened
  }

  run(
    template: SqlTemplate,
    statements: readonly Statement[],
    presumed: readonly Presumed[] = [],
  ): Observation {
    if (statements.some(({ sql }) => sql !== undefined && UNBOUND.test(sql))) {
      return this.#onCopy(template, statements, presumed)
    }
    if (!changes(template, statements) && presumed.length === 0) {
      return observe(this.#database, statements, template)
    }
    this.#database.run("BEGIN")
    try {
      this.#presume(this.#database, presumed)
      return observe(this.#database, statements, template)
    } finally {
      if (this.#database.inTransaction) this.#database.run("ROLLBACK")
    }
  }

  /** All tables as they are before any run. */
  tables(template: SqlTemplate, presumed: readonly Presumed[]): string {
    this.#database.run("BEGIN")
    try {
      this.#presume(this.#database, presumed)
      return tablesOf(this.#database, template)
    } finally {
      this.#database.run("ROLLBACK")
    }
  }

  /** A value that was stored through a parameter, as the next page reads it. */
  storedAndRead(value: string): string {
    const statement = this.#database.prepare("SELECT ?")
    try {
      const read: unknown = statement.values(value)[0]?.[0]
      return typeof read === "string" ? read : value
    } finally {
      statement.finalize()
    }
  }

  close(): void {
    this.#opened?.close()
  }

  #onCopy(
    template: SqlTemplate,
    statements: readonly Statement[],
    presumed: readonly Presumed[],
  ): Observation {
    this.#image ??= this.#database.serialize()
    const copy = Database.deserialize(this.#image)
    try {
      this.#presume(copy, presumed)
      return observe(copy, statements, template)
    } finally {
      copy.close()
    }
  }

  /** Columns first: a presumed table has them all. */
  #presume(database: Database, presumed: readonly Presumed[]): void {
    for (const { column } of presumed) {
      if (column !== undefined) addColumn(database, column, this.#canary)
    }
    for (const { table } of presumed) {
      if (table !== undefined) {
        database.run(`CREATE TABLE IF NOT EXISTS "${table}" AS SELECT * FROM users`)
      }
    }
  }
}

function addColumn(database: Database, column: string, canary: string): void {
  for (const table of ["users", "secrets", "posts"]) {
    const find = database.prepare("SELECT 1 FROM pragma_table_info(?) WHERE lower(name) = lower(?)")
    const isThere = find.values(table, column).length > 0
    find.finalize()
    if (isThere) continue
    database.run(`ALTER TABLE ${table} ADD COLUMN "${column}" TEXT`)
    database.run(`UPDATE ${table} SET "${column}" = 'x-${canary}'`)
  }
}

/** The names that people give the columns of a table of users; a condition may presume them too. */
const USUAL_COLUMN =
  /^(?:user_?name|user|login|uname|user_?id|uid|pass|passwd|pwd|pass_?word|user_?pass|password_?hash|hash|mail|e_?mail|is_?admin|admin|active|status|enabled|title|category|price|token|account|first_?name|last_?name)$/i
const SAFE_NAME = /^[a-z_][\w$]{0,63}$/i

/** What would have to exist for the program to run; undefined where nothing of that kind is missing. */
export function presumedBy(failure: string, payload: string): Presumed | undefined {
  const table = /^no such table: (?:\w+\.)?(.+)$/.exec(failure)?.[1]
  const column = /^(?:no such column: (?:.+\.)?|table \w+ has no column named )(.+)$/.exec(
    failure,
  )?.[1]
  const name = table ?? column ?? ""
  if (!SAFE_NAME.test(name)) return undefined
  if (table !== undefined) return { table: name }
  const isQuery = /\bselect\b|;/i.test(payload)
  const isCondition = USUAL_COLUMN.test(name) && /[=<>,]|\b(?:like|is|in|between)\b/i.test(payload)
  return isQuery || isCondition ? { column: name } : undefined
}

const USERS_COLUMNS = ["id", "name", "password", "email", "role"] as const
const INSERT = /^(insert\s+into\s+users)\s+values\b/i

/** The statements with as many columns as an INSERT presumes; undefined where none failed for that. */
export function fittedTo(
  failure: string,
  statements: readonly Statement[],
): readonly Statement[] | undefined {
  const values = /^table users has \d+ columns but (\d+) values were supplied$/.exec(failure)?.[1]
  if (values === undefined || Number(values) > USERS_COLUMNS.length) return undefined
  const columns = USERS_COLUMNS.slice(0, Number(values)).join(", ")
  const isPresuming = ({ sql }: Statement) => sql !== undefined && INSERT.test(sql)
  if (!statements.some(isPresuming)) return undefined
  return statements.map((statement) => ({
    ...statement,
    sql: statement.sql?.replace(INSERT, `$1 (${columns}) VALUES`),
  }))
}
