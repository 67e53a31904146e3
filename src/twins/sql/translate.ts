import { castTo, delayOf, quoted, rewriteOf, serverVariable, type Traps } from "./functions.ts"
import { isForeignStatement, isOfTransaction, TSQL_STARTS } from "./statements.ts"
import { isWord, TokenCursor } from "./token-cursor.ts"
import type { Token } from "./tokens.ts"
import {
  coerced,
  HEAVY_QUERY,
  HEAVY_QUERY_SECONDS,
  hexadecimal,
  isSessionWord,
  isUngrouped,
  NAMED_BEFORE,
  NO_CALLS,
  RENAMED,
  STRINGISH,
  secondsOf,
  withoutSchema,
  wordsOf,
  written,
} from "./vocabulary.ts"

export interface Statement {
  /** For SQLite; undefined where its own engine could not parse it either. */
  readonly sql: string | undefined
  /** It is complete, but of another engine, or reaches for a file: never run. */
  readonly isForeign: boolean
  /** Where it would write what it selects. */
  readonly outfile: string | undefined
}

/** Reaches for files and for the limits of the process; in SQLite's own dialect it is foreign. */
const REFUSED = /^(?:pragma|vacuum)\b/i
/** Calls in calls; deeper is no program that anybody wrote. */
const DEPTH_MAX = 60
/** Rewrites a program, read as `traps.dialect` does, as statements of SQLite. Total. */
export function translate(tokens: readonly Token[], traps: Traps): readonly Statement[] {
  const code = tokens.filter(({ kind }) => kind !== "space" && kind !== "comment")
  return new Translation(code, traps).statements()
}

/** What a sequence of tokens is a part of, which says where it ends. */
type Part = "statement" | "condition" | "group" | "argument"

class Translation {
  readonly #cursor: TokenCursor
  readonly #traps: Traps
  #depth = 0
  #isBroken = false
  #outfile: string | undefined
  /** Statements that are made out of a part of the one before. */
  #following: string[] = []

  constructor(tokens: readonly Token[], traps: Traps) {
    this.#cursor = new TokenCursor(tokens)
    this.#traps = traps
  }

  statements(): readonly Statement[] {
    const statements: Statement[] = []
    while (!this.#cursor.isAtEnd) {
      if (this.#cursor.accept(";")) continue
      if (this.#skipsTransaction()) continue
      statements.push(this.#statement())
      for (const sql of this.#following) {
        statements.push({ sql, isForeign: false, outfile: undefined })
      }
      this.#following = []
    }
    return statements
  }

  #statement(): Statement {
    const foreign = this.#foreignStatement()
    if (foreign !== undefined) return foreign
    this.#isBroken = false
    this.#outfile = undefined
    const sql = this.#head() ?? this.#sequence("statement")
    const isBroken = this.#isBroken || this.#cursor.isNext(")") || REFUSED.test(sql)
    this.#cursor.skip(this.#cursor.restOfStatement().length * Number(isBroken))
    const query = /^\(\s*select\b/i.test(sql) ? `SELECT * FROM ${sql}` : sql
    const text = coerced(query.replace(/\btwin_rand\b/g, "1"), this.#traps.dialect)
    return { sql: isBroken ? undefined : text, isForeign: false, outfile: this.#outfile }
  }

  #skipsTransaction(): boolean {
    const tokens = this.#cursor.restOfStatement()
    const isOne = isOfTransaction(wordsOf(tokens))
    if (isOne) this.#cursor.skip(tokens.length)
    return isOne
  }

  #foreignStatement(): Statement | undefined {
    const tokens = this.#cursor.restOfStatement()
    if (tokens.some(({ kind }) => kind === "invalid")) return undefined
    const text = wordsOf(tokens)
    if (!isForeignStatement(text, this.#traps.dialect)) return undefined
    this.#cursor.skip(tokens.length)
    return { sql: undefined, isForeign: true, outfile: undefined }
  }

  /** Statements whose first words SQLite does not know. */
  #head(): string | undefined {
    if (this.#cursor.acceptWords("truncate", "table") || this.#cursor.acceptWords("truncate")) {
      return `DELETE FROM ${this.#sequence("statement")}`
    }
    if (this.#cursor.acceptWords("waitfor", "delay")) return `SELECT ${this.#waitfor()}`
    if (this.#cursor.acceptWords("attach")) return this.#attach()
    const { dialect } = this.#traps
    if (dialect === "tsql") return this.#cursor.acceptWords("if") ? this.#conditional() : undefined
    const isCall = dialect === "mysql" ? this.#cursor.acceptWords("do") : this.#acceptsBlock()
    return isCall ? `SELECT ${this.#sequence("group")}` : undefined
  }

  /** BEGIN call; END of Oracle. */
  #acceptsBlock(): boolean {
    if (this.#traps.dialect !== "postgresql") return false
    const next = this.#cursor.peek(1)
    if (isWord(next, "transaction") || isWord(next, "work") || next?.kind !== "word") return false
    return this.#cursor.acceptWords("begin")
  }

  #waitfor(): string {
    return delayOf(String(secondsOf(this.#cursor.next()?.text ?? "")), this.#traps)
  }

  /** A database in a file would be written: this one is in memory. */
  #attach(): string {
    while (!this.#cursor.isAtEnd && !this.#cursor.isNext(";")) {
      if (this.#cursor.acceptWords("as")) break
      this.#cursor.skip(1)
    }
    return `ATTACH ':memory:' AS ${this.#sequence("group")}`
  }

  /** IF condition WAITFOR DELAY '...' | SELECT ... */
  #conditional(): string {
    const condition = this.#sequence("condition")
    if (this.#cursor.acceptWords("waitfor", "delay")) {
      return `SELECT CASE WHEN ${condition} THEN ${this.#waitfor()} END`
    }
    const body = this.#sequence("statement")
    return `SELECT CASE WHEN ${condition} THEN (${body}) END`
  }

  /** Up to the end of the part; a closing parenthesis or a semicolon ends each of them. */
  #sequence(part: Part): string {
    const pieces: string[] = []
    for (let token = this.#cursor.peek(); token !== undefined; token = this.#cursor.peek()) {
      if (token.kind === "operator" && (token.text === ")" || token.text === ";")) break
      if (part === "argument" && this.#cursor.isNext(",")) break
      if (part === "condition" && isWord(token, "select")) break
      if (pieces.length > 0 && this.#startsStatement(token, part)) break
      this.#piece(pieces)
    }
    return pieces.join(" ")
  }

  #startsStatement(token: Token, part: Part): boolean {
    if (part === "group" || part === "argument" || this.#traps.dialect !== "tsql") return false
    return token.kind === "word" && TSQL_STARTS.has(token.text.toLowerCase())
  }

  /** Appends what one token, call or group is in SQLite. */
  #piece(pieces: string[]): void {
    const token = this.#cursor.next()
    if (token === undefined) return
    if (token.kind === "invalid") this.#isBroken = true
    else if (token.kind === "string") pieces.push(this.#string(token))
    else if (token.kind === "identifier") pieces.push(this.#name(token, pieces))
    else if (token.kind === "hex") pieces.push(hexadecimal(token.text, this.#traps.dialect))
    else if (token.kind === "variable") this.#variable(token, pieces)
    else if (token.kind === "word") this.#word(token, pieces)
    else if (token.kind === "operator") this.#operator(token, pieces)
    else pieces.push(token.text)
  }

  /** MySQL joins what stands side by side. */
  #string(token: Token): string {
    let text = token.text
    while (this.#traps.dialect === "mysql" && this.#cursor.peek()?.kind === "string") {
      text += this.#cursor.next()?.text ?? ""
    }
    return quoted(text)
  }

  #variable(token: Token, pieces: string[]): void {
    if (token.text.startsWith("@@")) {
      pieces.push(serverVariable(token.text, this.#traps.session))
    } else if (this.#cursor.accept(":=")) return
    else pieces.push("NULL")
  }

  #word(token: Token, pieces: string[]): void {
    const word = token.text.toLowerCase()
    if (this.#keyword(word, pieces)) return
    if (
      isSessionWord(word, this.#traps.dialect) &&
      !this.#isNamed(pieces) &&
      !this.#cursor.isNext("(")
    ) {
      pieces.push(quoted(this.#traps.session.user))
      return
    }
    pieces.push(this.#name(token, pieces))
  }

  #isNamed(pieces: readonly string[]): boolean {
    return NAMED_BEFORE.has((pieces.at(-1) ?? "").toLowerCase()) || this.#cursor.isNext(".")
  }

  /** Words with a meaning of their own; false where it is none of them. */
  #keyword(word: string, pieces: string[]): boolean {
    const isMysql = this.#traps.dialect === "mysql"
    const other = RENAMED.get(word)
    if (other !== undefined) return push(pieces, other)
    switch (word) {
      case "top":
        return /^(?:select|distinct|all)$/i.test(pieces.at(-1) ?? "") && this.#skipPiece()
      case "mod":
        return !this.#cursor.isNext("(") && push(pieces, "%")
      case "regexp":
      case "rlike":
        return isMysql && this.#regexp(pieces)
      case "binary":
      case "distinctrow":
        return isMysql
      case "union":
        return this.#union(pieces)
      case "waitfor":
        return this.#cursor.acceptWords("delay") && this.#later(`SELECT ${this.#waitfor()}`)
      case "into":
        return this.#intoFile()
      case "for":
        return this.#cursor.acceptWords("update")
      case "lock":
        return this.#cursor.acceptWords("in", "share", "mode")
      case "procedure":
        return this.#cursor.acceptWords("analyse") && this.#analyse()
      case "having":
        return isMysql && isUngrouped(pieces) && push(pieces, "AND")
      case "offset":
        return this.#offsetRows(pieces)
      default:
        return false
    }
  }

  /** SQLite has no parentheses around what is joined. */
  #union(pieces: string[]): true {
    this.#cursor.acceptWords("distinct")
    pieces.push(this.#cursor.acceptWords("all") ? "UNION ALL" : "UNION")
    const isInParentheses = this.#cursor.isNext("(") && isWord(this.#cursor.peek(1), "select")
    return isInParentheses ? push(pieces, "SELECT * FROM") : true
  }

  #later(sql: string): true {
    this.#following.push(sql)
    return true
  }

  /** A pattern without signs of its own is a part of the text; a computed one is taken so. */
  #regexp(pieces: string[]): boolean {
    pieces.push("LIKE", "'%' ||")
    this.#piece(pieces)
    pieces[pieces.length - 1] = `(${(pieces.at(-1) ?? "''").replace(/^'\^|\$'$/g, "'")}) || '%'`
    return true
  }

  #intoFile(): boolean {
    if (!this.#cursor.acceptWords("outfile") && !this.#cursor.acceptWords("dumpfile")) return false
    this.#outfile = this.#cursor.next()?.text ?? ""
    while (/^(?:lines|fields|columns)$/i.test(this.#cursor.peek()?.text ?? "")) this.#cursor.skip(4)
    return true
  }

  /** PROCEDURE ANALYSE(a, b) computes what it is given. */
  #analyse(): boolean {
    if (!this.#cursor.accept("(")) return false
    return this.#later(`SELECT ${this.#arguments().join(", ")}`)
  }

  #offsetRows(pieces: string[]): boolean {
    const [count, unit] = [this.#cursor.peek()?.text ?? "", this.#cursor.peek(1)?.text ?? ""]
    if (!/^\d+$/.test(count) || !/^rows?$/i.test(unit)) return false
    this.#cursor.skip(2)
    const isBounded = this.#cursor.acceptWords("fetch")
    const limit = isBounded ? (this.#cursor.peek(1)?.text ?? "-1") : "-1"
    if (isBounded) this.#cursor.skip(4)
    return push(pieces, `LIMIT ${/^\d+$/.test(limit) ? limit : "-1"} OFFSET ${count}`)
  }

  #skipPiece(): true {
    this.#piece([])
    return true
  }

  /** A name, its schema translated, and the call that it may be of. */
  #name(token: Token, pieces: readonly string[]): string {
    const parts = [token]
    while (this.#cursor.isNext(".")) {
      while (this.#cursor.accept("."));
      const part = this.#cursor.next()
      if (part === undefined) break
      parts.push(part)
    }
    const names = withoutSchema(parts)
    const called = names.map(({ text }) => text.toLowerCase()).join(".")
    const isCall = this.#cursor.isNext("(") && token.kind === "word" && !NO_CALLS.has(called)
    const before = (pieces.at(-1) ?? "").toLowerCase()
    const isKnown = rewriteOf(called, this.#traps.dialect) !== undefined
    const isSource = isKnown && (before === "from" || before === "join")
    if (isCall && isSource && this.#cursor.accept("("))
      return `(SELECT DISTINCT ${this.#call(called, names)})`
    if (isCall && !NAMED_BEFORE.has(before) && this.#cursor.accept("("))
      return this.#call(called, names)
    return names.map(written).join(".")
  }

  #call(called: string, names: readonly Token[]): string {
    const args = this.#arguments()
    const rewrite = rewriteOf(called, this.#traps.dialect)
    const name = names.length === 1 ? names.map(written).join("") : `"${called}"`
    return rewrite?.(args, this.#traps) ?? `${name}(${args.join(", ")})`
  }

  /** Behind the opening parenthesis, up to and with the closing one. */
  #arguments(): readonly string[] {
    const args: string[] = []
    if (++this.#depth > DEPTH_MAX) this.#isBroken = true
    while (!this.#isBroken && !this.#cursor.isNext(")")) {
      args.push(this.#sequence("argument"))
      if (!this.#cursor.accept(",")) break
    }
    this.#depth--
    if (!this.#cursor.accept(")")) this.#isBroken = true
    return args
      .map((arg, index) => (arg === "" && index > 0 ? "''" : arg))
      .filter((arg) => arg !== "")
  }

  #operator(token: Token, pieces: string[]): void {
    const { dialect } = this.#traps
    if (token.text === "(") pieces.push(this.#group(pieces.at(-1)))
    else if (token.text === "::") this.#cast(pieces)
    else if (token.text === "&&") pieces.push("AND")
    else if (token.text === "||" && dialect === "mysql") pieces.push("OR")
    else if (token.text === "!" && dialect === "mysql") pieces.push("NOT")
    else if (token.text === "<=>") pieces.push("IS")
    else if (token.text === "+" && dialect === "tsql") this.#plus(pieces)
    else if (token.text === "^" && dialect !== "sqlite") this.#exclusiveOr(pieces)
    else pieces.push(token.text)
  }

  /** SQLite leaves out what nobody reads of a derived table; of one row, DISTINCT is the same. */
  #group(before: string | undefined): string {
    if (++this.#depth > DEPTH_MAX) this.#isBroken = true
    const isDerived = /^(?:from|join|,)$/i.test(before ?? "") && this.#cursor.acceptWords("select")
    const start = this.#cursor.position
    const sequence = this.#isBroken ? "" : this.#sequence("group")
    this.#depth--
    if (!this.#cursor.accept(")")) this.#isBroken = true
    if (HEAVY_QUERY.test(sequence)) return `(${delayOf(HEAVY_QUERY_SECONDS, this.#traps)})`
    if (!isDerived) return `(${sequence})`
    const isOneRow = !this.#cursor.since(start).some((token) => isWord(token, "from"))
    return isOneRow ? `(SELECT DISTINCT ${sequence})` : `(SELECT ${sequence})`
  }

  #cast(pieces: string[]): void {
    const type = this.#cursor.next()?.text ?? ""
    const value = pieces.pop()
    if (value === undefined) this.#isBroken = true
    else pieces.push(castTo(value, type))
  }

  /** T-SQL adds numbers and joins texts with the same sign. */
  #plus(pieces: string[]): void {
    const before = pieces.at(-1) ?? ""
    const at = pieces.length
    this.#piece(pieces)
    const isText = STRINGISH.test(before) || STRINGISH.test(pieces[at] ?? "")
    pieces.splice(at, 0, isText ? "||" : "+")
  }

  #exclusiveOr(pieces: string[]): void {
    const one = pieces.pop()
    const at = pieces.length
    this.#piece(pieces)
    const [other] = pieces.splice(at)
    if (one === undefined || other === undefined) this.#isBroken = true
    else pieces.push(`((${one} | ${other}) - (${one} & ${other}))`)
  }
}

function push(pieces: string[], piece: string): true {
  pieces.push(piece)
  return true
}
