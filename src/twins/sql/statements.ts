import type { Dialect } from "./tokens.ts"

/**
 * Statements that SQLite has no counterpart for, or that would reach a file: the twin does not run
 * them. Where one of them is reached and is complete, the engine that it is of would have run it.
 *
 * They are matched against the words as written, one blank between tokens, strings as `'...'`.
 */
const FOREIGN_STATEMENTS: Readonly<Record<Dialect, readonly RegExp[]>> = {
  sqlite: [/^pragma \w+/i, /^vacuum\b/i],
  mysql: [
    /^set (?:(?:global|session|local) )?[@\w]+(?: . \w+)? :?= ./i,
    /^(?:grant|revoke) .+ (?:to|from) ./i,
    /^create (?:user|function|procedure|trigger|event) ./i,
    /^load data (?:local )?infile '/i,
    /^(?:handler \w+ (?:open|read|close)|prepare \w+ from ['@]|execute \w+$|show \w+)/i,
    /^(?:flush \w+|kill \d+|shutdown)$/i,
    /^call \w+(?: . \w+)? \(.*\)$/i,
    /^rename table \w+ to \w+/i,
  ],
  postgresql: [
    /^copy (?:\w+(?: . \w+)*|\(.+\)) (?:\(.+\) )?(?:to|from) (?:program )?'/i,
    /^create (?:or replace )?(?:function|procedure|language|extension|role|user) ./i,
    /^alter (?:role|user|system) ./i,
    /^do (?:language \w+ )?'/i,
    /^(?:grant|revoke) .+ (?:to|from) ./i,
    /^set (?:session |local )?\w+ (?:to|=) ./i,
    /^begin execute immediate '/i,
  ],
  tsql: [
    /^exec(?:ute)? (?:@\w+ = )?\w+(?: \.(?: \.)* \w+){0,3}(?: (?:'|@|\d|\().*|)$/i,
    /^exec(?:ute)? \(.+\)$/i,
    /^declare @\w+ (?:as )?\w+/i,
    /^set @\w+ = ./i,
    /^shutdown(?: with nowait)?$/i,
    /^(?:backup|restore) (?:database|log) \w+/i,
    /^create (?:login|procedure|proc|user) ./i,
    /^(?:bulk insert \w+ from '|use \w+$|reconfigure$|dbcc \w+|print ['@]|raiserror \()/i,
  ],
}

/** Whether a statement, written as above, is one that its own engine would have run. */
export function isForeignStatement(text: string, dialect: Dialect): boolean {
  if (dialect !== "sqlite" && DATABASE_STATEMENT.test(text)) return true
  return FOREIGN_STATEMENTS[dialect].some((pattern) => pattern.test(text))
}

const DATABASE_STATEMENT =
  /^(?:create|drop|alter) (?:database|schema|user|login) (?:if (?:not )?exists )?\S+/i

/** Of a transaction: each run has one of its own, which nothing ends, so there is nothing to do. */
const TRANSACTION =
  /^(?:(?:commit|end|rollback|begin|abort|start)(?: (?:transaction|work|tran|deferred|immediate|exclusive))*(?: to(?: savepoint)? \w+)?|(?:savepoint|release)(?: savepoint)? \w+)$/i

/** Whether a statement, written as above, only begins, ends or marks a transaction. */
export function isOfTransaction(text: string): boolean {
  return TRANSACTION.test(text)
}

/** Begins a statement in T-SQL without a semicolon before it. */
export const TSQL_STARTS: ReadonlySet<string> = new Set([
  ...["exec", "execute", "declare", "waitfor", "shutdown", "drop", "delete", "insert", "update"],
  ...["truncate", "alter", "create", "if"],
])
