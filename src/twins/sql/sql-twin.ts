import type {
  ReportAttempt,
  TwinAttempt,
  TwinEffectKind,
  TwinRequest,
} from "../../twin-protocol.ts"
import { defineTwin, type Findings, rankOf } from "../define-twin.ts"
import { SqlRun } from "./sql-run.ts"
import { SQL_TEMPLATES, type SqlTemplate } from "./templates.ts"

/** What an attacker gains, the most first. */
const EFFECTS: readonly TwinEffectKind[] = [
  ...(["canary_leaked", "authentication_bypassed", "error_leaked", "statement_run"] as const),
  ...(["file_created", "delay_measured", "rows_changed", "syntax_error"] as const),
]
const WEAK = EFFECTS.indexOf("rows_changed")
/** A value that every template takes for one, and that finds a row. */
const CONTROL = "1"
/** More templates with a strong effect prove nothing more. */
const STRONG_HITS_MAX = 6

/**
 * An application that joins SQL from text, and its database in memory.
 *
 * A payload has an effect where the program does what it does not do with the same payload as a
 * bound value, nor with the value that the payload begins with. `templatesTried` is smaller than the
 * number of templates where enough of them had a strong effect.
 */
export const sqlTwin = defineTwin({
  class: "sql_injection",
  effects: EFFECTS,
  templates: SQL_TEMPLATES.map(({ name }) => name),
  simulate(request, workDirectory, report) {
    const templates = SQL_TEMPLATES.filter(({ name }) => request.templates?.includes(name) ?? true)
    using control = new SqlRun({ ...request, payload: CONTROL, workDirectory })
    return attemptAll(request, { templates, report, workDirectory, control })
  },
})

function attemptAll(
  request: TwinRequest,
  options: Pick<Search, "templates" | "report" | "workDirectory" | "control">,
): Findings {
  const isLate = deadline(request.budgetMs)
  const search: Search = { ...options, isLate, found: new Map(), failedControls: [] }
  const { templates, workDirectory, found, failedControls } = search
  let [isForeign, tried] = [false, 0]
  for (const payload of spellingsOf(request.payload)) {
    using run = new SqlRun({ payload, canary: request.canary, workDirectory })
    tried = attemptEach(run, search)
    isForeign ||= run.isForeign
    if (failedControls.length > 0) {
      return { tried, attempts: [], control: failedControls, inconclusive: "control_failed" }
    }
    if ([...found.values()].some(isHit)) break
  }
  const attempts = [...found.values()]
  if (attempts.some(isHit)) return { tried, attempts, control: [] }
  const isCut = isLate() && tried < templates.length
  const inconclusive = isCut ? "budget_exceeded" : isForeign ? "dialect" : undefined
  return { tried, attempts, control: [], inconclusive }
}

interface Search {
  readonly templates: readonly SqlTemplate[]
  readonly report: ReportAttempt | undefined
  readonly workDirectory: string
  readonly isLate: () => boolean
  readonly control: SqlRun
  readonly found: Map<string, TwinAttempt>
  readonly failedControls: TwinAttempt[]
}

/**
 * How many templates it took until there was enough proof, or no more time. The control is run where
 * the payload had an effect: nowhere else is there anything that it could refute.
 */
function attemptEach(run: SqlRun, search: Search): number {
  for (const [tried, template] of search.templates.entries()) {
    if (search.isLate() || isProven(search.found)) return tried
    const attempt = run.attempt(template)
    if (attempt === undefined) continue
    const failed = isHit(attempt) ? search.control.control(template) : undefined
    if (failed !== undefined) {
      search.failedControls.push(failed)
      return tried + 1
    }
    search.found.set(template.name, attempt)
    search.report?.(attempt)()
  }
  return search.templates.length
}

function isProven(found: ReadonlyMap<string, TwinAttempt>): boolean {
  const strong = [...found.values()].filter((attempt) => rankOf(attempt, EFFECTS) < WEAK)
  return strong.length >= STRONG_HITS_MAX
}

function deadline(budgetMs: number): () => boolean {
  const endMs = performance.now() + budgetMs
  return () => performance.now() > endMs
}

/** As it was found, and as an application has it that decodes once more. */
function spellingsOf(payload: string): readonly string[] {
  const decoded = decodeOnce(payload)
  return decoded === payload ? [payload] : [payload, decoded]
}

function decodeOnce(payload: string): string {
  if (/\\u00[0-9a-f]{2}/i.test(payload)) {
    return payload.replace(/\\u(00[0-9a-f]{2})/gi, (_, hex: string) => {
      return String.fromCharCode(Number.parseInt(hex, 16))
    })
  }
  if (!/%[0-9a-f]{2}|^\S*\+\S*$/i.test(payload)) return payload
  try {
    return decodeURIComponent(payload.replaceAll("+", " "))
  } catch {
    return payload // bytes that are no UTF-8
  }
}

function isHit({ effects }: TwinAttempt): boolean {
  return effects.some(({ kind }) => kind !== "syntax_error")
}
