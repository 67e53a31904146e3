import { TWIN_LIMITS, type TwinEffect, type TwinEffectKind } from "../../twin-protocol.ts"
import type { Observation } from "./observe.ts"
import type { SqlTemplate } from "./templates.ts"
import type { Dialect } from "./tokens.ts"

export interface Comparison {
  readonly template: SqlTemplate
  readonly dialect: Dialect
  readonly program: Observation
  readonly payload: string
  /** The payload has words, calls or separators of SQL. */
  readonly hasCode: boolean
  /** It is a value and a comment: the rest of the statement is gone, as anybody's typing might. */
  readonly isOnlyCut: boolean
  /** The same payload as a careful application has it: only a value. */
  readonly bound: Observation
  /** The value that the payload begins with, alone; undefined where it begins with none. */
  readonly leading: Observation | undefined
  /** All tables where only the value was stored. */
  readonly tables: string | undefined
  readonly canary: string
}

const SAID_CHARACTERS_MAX = 200

/** What the program did that neither of its baselines does. Without delays: they are measured. */
export function effectsOf(comparison: Comparison): readonly TwinEffect[] {
  const { program, template } = comparison
  const effects = [
    failureEffect(comparison),
    tableEffect(comparison),
    furtherEffect(comparison),
    ...(program.isAnswered ? answerEffects(comparison) : []),
  ].filter((effect) => effect !== undefined)
  if (effects.length > 0 || template.quote === "" || !isUnreadable(program)) return effects
  return [effect("syntax_error", "the payload breaks the statement; nothing more is seen")]
}

export function effect(kind: TwinEffectKind, detail: string): TwinEffect {
  return { kind, detail: detail.slice(0, TWIN_LIMITS.detailCharactersMax) }
}

function answerEffects(comparison: Comparison): readonly (TwinEffect | undefined)[] {
  const { template, program } = comparison
  if (program.outfile !== undefined) {
    const rows = `${program.rowCount} rows were written to a file that the payload names`
    return program.rowCount > 0 ? [effect("file_created", rows)] : []
  }
  const leak = leakEffect(comparison)
  if (template.outcome === "login") return [leak, loginEffect(comparison)]
  return [leak, leak === undefined ? rowEffect(comparison) : undefined]
}

function failureEffect(comparison: Comparison): TwinEffect | undefined {
  const { program, canary } = comparison
  if (namesColumn(comparison)) return effect("error_leaked", "the error names a column of users")
  const [, data] = /^bad JSON path: '~([\s\S]*)'$/.exec(program.failure ?? "") ?? []
  const [secret] = isUnreadable(program) ? [] : valuesWith(canary, program.failure ?? "")
  const said = secret ?? data?.slice(0, SAID_CHARACTERS_MAX)
  return said === undefined ? undefined : effect("error_leaked", `the error says ${said}`)
}

/** HAVING without GROUP BY: T-SQL answers with the name of the first column that is in no group. */
function namesColumn({ dialect, program: { failure = "" } }: Comparison): boolean {
  return dialect === "tsql" && failure.startsWith("HAVING clause on a non-aggregate query")
}

function leakEffect({ program, bound, leading, canary }: Comparison): TwinEffect | undefined {
  const known = valuesWith(canary, bound.rows + (leading?.rows ?? ""))
  const leaked = [...valuesWith(canary, program.rows)].filter((value) => !known.has(value))
  const [first] = leaked
  if (first === undefined) return undefined
  const value = first.includes(canary) ? first : `${first}, that is canary ${canary},`
  return effect("canary_leaked", `${value} came out, one of ${leaked.length} values not asked for`)
}

function loginEffect({ program, bound, leading }: Comparison): TwinEffect | undefined {
  const isBypassed = program.rowCount > 0 && bound.rowCount === 0 && (leading?.rowCount ?? 0) === 0
  if (!isBypassed) return undefined
  return effect("authentication_bypassed", "logged in without the password of the account")
}

function rowEffect(comparison: Comparison): TwinEffect | undefined {
  const { template, program, bound, leading } = comparison
  if (template.outcome !== "rows") return undefined
  if (!(template.isArrangement ? isRearranged(comparison) : isOther(comparison))) return undefined
  const counts = `answer: ${program.rowCount} rows, ${bound.rowCount} for the same text as a value`
  const own = leading === undefined ? "" : `, ${leading.rowCount} for the value that it begins with`
  return effect("rows_changed", counts + own)
}

/** Where a comment only cuts the program off behind the value, the rows of the value are no effect. */
function isOther({ program, bound, leading, hasCode }: Comparison): boolean {
  const isUnlikeLeading = leading !== undefined && program.rows !== leading.rows
  return isUnlikeLeading || (program.rows !== bound.rows && (hasCode || leading === undefined))
}

/** Any order or number of rows is one that a user may ask for, unless a condition decides it. */
function isRearranged({ payload, program, bound, leading }: Comparison): boolean {
  const isConditional = /\b(?:select|case|i?if|decode)\b/i.test(payload)
  return isConditional && program.rows !== bound.rows && program.rows !== leading?.rows
}

function tableEffect({ program, tables, isOnlyCut }: Comparison): TwinEffect | undefined {
  if (isOnlyCut || program.tables === undefined || program.tables === tables) return undefined
  return effect("rows_changed", "tables: rows differ from those of the same text as a value")
}

function furtherEffect({ program }: Comparison): TwinEffect | undefined {
  if (program.further === 0) return undefined
  return effect("statement_run", `${program.further} further statements of the payload were run`)
}

function isUnreadable({ isMalformed, failure }: Observation): boolean {
  return isMalformed || /syntax error|unrecognized token|incomplete input/.test(failure ?? "")
}

/** Values that hold the canary, as they are or in hexadecimal digits. */
function valuesWith(canary: string, text: string): ReadonlySet<string> {
  const hex = Buffer.from(canary).toString("hex")
  const pattern = new RegExp(`[\\w.@-]{0,64}(?:${canary}|${hex})[\\w.@-]{0,64}`, "gi")
  return new Set(text.match(pattern))
}
