import {
  TWIN_LIMITS,
  type Twin,
  type TwinAnswer,
  type TwinAttempt,
  type TwinEffectKind,
  type TwinInconclusive,
  type TwinRequest,
} from "../../twin-protocol.ts"
import { SqlRun } from "./sql-run.ts"
import { SQL_TEMPLATES, type SqlTemplate } from "./templates.ts"

/** What an attacker gains, the most first. */
const STRENGTH: readonly TwinEffectKind[] = [
  ...(["canary_leaked", "authentication_bypassed", "error_leaked", "statement_run"] as const),
  ...(["file_created", "delay_measured", "rows_changed", "syntax_error"] as const),
]
const CONTROL = { value: "visitor", number: "1" } as const

/**
 * An application that joins SQL from text, and its database in memory.
 *
 * A payload has an effect where the program does what it does not do with the same payload as a
 * bound value, nor with the value that the payload begins with.
 */
export const sqlTwin: Twin = {
  class: "sql_injection",
  templates: SQL_TEMPLATES.map(({ name }) => name),
  async prepare(): Promise<void> {
    const canary = "0".repeat(32)
    for (const payload of ["1' OR '1'='1' -- ", "1 UNION SELECT SLEEP(0)", '1"; SELECT 1 -- ']) {
      attemptAll({ ...WARM_UP, canary, payload }, SQL_TEMPLATES)
    }
  },
  async run(request, _workDirectory, report): Promise<TwinAnswer> {
    const none = { id: request.id, class: request.class, attempts: [], controlAttempts: [] }
    if (Buffer.byteLength(request.payload) > TWIN_LIMITS.payloadBytesMax) {
      return { ...none, templatesTried: 0, inconclusive: "too_large" }
    }
    const templates = SQL_TEMPLATES.filter(({ name }) => request.templates?.includes(name) ?? true)
    const controlAttempts = control(request, templates)
    if (controlAttempts.length > 0) {
      return { ...none, controlAttempts, templatesTried: 0, inconclusive: "control_failed" }
    }
    return { ...none, ...attemptAll(request, templates, report) }
  },
}

const WARM_UP = { id: "", class: "sql_injection", location: "", budgetMs: 1_000 } as const

type Report = (attempt: TwinAttempt) => void

function attemptAll(
  request: TwinRequest,
  templates: readonly SqlTemplate[],
  report?: Report,
): Pick<TwinAnswer, "attempts" | "templatesTried" | "inconclusive"> {
  const isLate = deadline(request.budgetMs)
  const found = new Map<string, TwinAttempt>()
  let [isForeign, templatesTried] = [false, 0]
  for (const payload of spellingsOf(request.payload)) {
    using run = new SqlRun({ payload, canary: request.canary })
    templatesTried = 0
    for (const template of templates) {
      if (isLate()) break
      templatesTried++
      const attempt = run.attempt(template)
      if (attempt === undefined) continue
      found.set(attempt.template, attempt)
      report?.(attempt)
    }
    isForeign ||= run.isForeign
    if ([...found.values()].some(isHit)) break
  }
  const isCut = templatesTried < templates.length
  const reason = isCut ? "budget_exceeded" : isForeign ? "dialect" : undefined
  return { ...ranked([...found.values()], reason), templatesTried }
}

function deadline(budgetMs: number): () => boolean {
  const endMs = performance.now() + budgetMs
  return () => performance.now() > endMs
}

/** The strongest first; a reason why nothing can be said only where there is no hit. */
function ranked(found: readonly TwinAttempt[], reason: TwinInconclusive | undefined) {
  const sorted = found.toSorted((one, other) => strengthOf(one) - strengthOf(other))
  const attempts = sorted.slice(0, TWIN_LIMITS.attemptsMax)
  return reason === undefined || found.some(isHit)
    ? { attempts }
    : { attempts, inconclusive: reason }
}

function control(request: TwinRequest, templates: readonly SqlTemplate[]): readonly TwinAttempt[] {
  using values = new SqlRun({ payload: CONTROL.value, canary: request.canary })
  using numbers = new SqlRun({ payload: CONTROL.number, canary: request.canary })
  return templates
    .map((template) => (template.quote === "" ? numbers : values).control(template))
    .filter((attempt) => attempt !== undefined)
}

/** As it was found, and as an application has it that decodes once more. */
function spellingsOf(payload: string): readonly string[] {
  if (!/%[0-9a-f]{2}|^\S*\+\S*$/i.test(payload)) return [payload]
  try {
    return [payload, decodeURIComponent(payload.replaceAll("+", " "))]
  } catch {
    return [payload] // bytes that are no UTF-8
  }
}

function isHit({ effects }: TwinAttempt): boolean {
  return effects.some(({ kind }) => kind !== "syntax_error")
}

function strengthOf({ effects }: TwinAttempt): number {
  return Math.min(...effects.map(({ kind }) => STRENGTH.indexOf(kind)))
}
