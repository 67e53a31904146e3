import { writeFileSync } from "node:fs"
import { join } from "node:path"
import {
  TWIN_LIMITS,
  type TwinAttempt,
  type TwinEffect,
  type TwinEffectKind,
} from "../../twin-protocol.ts"
import { codeOf, isConfined } from "./confinement.ts"
import { effect, effectsOf } from "./effects.ts"
import { isForeignCall, type Traps } from "./functions.ts"
import { fittedTo, Laboratory, type Presumed, presumedBy } from "./laboratory.ts"
import type { Observation } from "./observe.ts"
import { type SeedValue, sessionOf } from "./schema.ts"
import {
  baselineOf,
  closedBy,
  dialectsOf,
  type Program,
  programOf,
  type SqlTemplate,
  widthsOf,
} from "./templates.ts"
import { type Dialect, type Token, tokenize } from "./tokens.ts"
import { type Statement, translate } from "./translate.ts"

const PRESUMED_MAX = 8
/** Another dialect may show more. */
const WEAK: ReadonlySet<TwinEffectKind> = new Set(["rows_changed", "syntax_error"])
/** Parentheses that the templates with a fixed number of them have at most. */
const USUAL_DEPTH = 2
const SEED_CHARACTERS_MAX = 64
/** A delay is believed when it takes this long and this many times longer than none. */
const DELAY = { msMin: 0.3, ratioMin: 3, triesMax: 3 } as const
const WRONG_WIDTH = /same number of result columns|ORDER BY term out of range|all VALUES must have/

/** What a program shows that does not run. */
const NOTHING: Observation = {
  ...{ rows: "[]", rowCount: 0, further: 0, failure: undefined, isMalformed: false },
  ...{ isAnswered: false, tables: undefined, outfile: undefined },
}

interface Ran {
  readonly observation: Observation
  readonly presumed: readonly Presumed[]
}

/** A program that ran, and what its baselines depend on. */
interface Trial {
  readonly template: SqlTemplate
  readonly dialect: Dialect
  readonly width: number
  readonly ran: Ran
  readonly hasCode: boolean
  readonly isOnlyCut: boolean
}

interface DelayTrial {
  readonly template: SqlTemplate
  readonly dialect: Dialect
  readonly tokens: readonly Token[]
  readonly ran: Ran
}

/** One payload against one database, template by template. */
export class SqlRun implements Disposable {
  readonly #payload: string
  readonly #canary: string
  readonly #workDirectory: string
  readonly #laboratory: Laboratory
  readonly #seen = new Set<string>()
  #isDelayConfirmed = false
  /** Some program called what only another engine has, so that nothing can be said of it. */
  isForeign = false

  constructor(options: {
    readonly payload: string
    readonly canary: string
    /** Where INTO OUTFILE writes, whatever path it names. */
    readonly workDirectory: string
  }) {
    this.#workDirectory = options.workDirectory
    this.#payload = options.payload
    this.#canary = options.canary
    this.#laboratory = new Laboratory(options.canary, seedOf(options.payload))
  }

  /** The first dialect in which the payload has a strong effect, or else the first with any. */
  attempt(template: SqlTemplate): TwinAttempt | undefined {
    if (!canLeave(this.#payload, template)) return undefined
    const value = template.isSecondOrder
      ? this.#laboratory.storedAndRead(this.#payload)
      : this.#payload
    let weak: TwinAttempt | undefined
    for (const dialect of dialectsOf(template)) {
      const attempt = this.#attemptIn(dialect, template, value)
      if (attempt?.effects.some(({ kind }) => !WEAK.has(kind))) return attempt
      if (weak === undefined || isBroken(weak)) weak = attempt ?? weak
    }
    return weak
  }

  /** The payload as one that is known to be harmless: run although it is confined. */
  control(template: SqlTemplate): TwinAttempt | undefined {
    const width = template.widths[0] ?? 1
    const program = programOf(template, width, this.#payload)
    const tokens = tokenize(program.text, "sqlite")
    const ran = this.#run(template, translate(tokens, this.#traps("sqlite")))
    return attemptOf(
      template,
      program,
      this.#effects({ template, dialect: "sqlite", width, ran, hasCode: true, isOnlyCut: false }),
    )
  }

  [Symbol.dispose](): void {
    this.#laboratory.close()
  }

  #attemptIn(dialect: Dialect, template: SqlTemplate, value: string): TwinAttempt | undefined {
    for (const [index, width] of widthsOf(template, value).entries()) {
      const program = programOf(template, width, value)
      const tokens = tokenize(program.text, dialect)
      if (index === 0 && isConfined(template, program, tokens)) return undefined
      const statements = withoutRest(translate(tokens, this.#traps(dialect)), value)
      if (this.#isSeen({ template, dialect, statements })) return undefined
      const ran = this.#run(template, statements)
      if (WRONG_WIDTH.test(ran.observation.failure ?? "")) continue
      this.#writeOutfile(ran.observation)
      const delay = this.#delay({ template, dialect, tokens, ran })
      const run = { template, dialect, width, ran, ...codeOf(template, program, tokens) }
      const effects = delay === undefined ? this.#effects(run) : [delay]
      return attemptOf(template, program, effects.map(readAs(dialect)))
    }
    return undefined
  }

  #writeOutfile({ outfile, rows, rowCount }: Observation): void {
    if (outfile === undefined || rowCount === 0) return
    try {
      writeFileSync(join(this.#workDirectory, "outfile"), rows)
    } catch {
      // The directory is full: the rows were selected for the file all the same.
    }
  }

  /** Whether another dialect reads the same; only T-SQL gives names away where HAVING is wrong. */
  #isSeen(read: {
    readonly template: SqlTemplate
    readonly dialect: Dialect
    readonly statements: readonly Statement[]
  }): boolean {
    const statements = JSON.stringify(read.statements)
    const own = read.dialect === "tsql" && /\bhaving\b/i.test(statements) ? "tsql" : ""
    const key = `${read.template.name} ${own} ${statements}`
    const isSeen = this.#seen.has(key)
    this.#seen.add(key)
    return isSeen
  }

  /** Runs again with what is missing until nothing is, as the attacker knew the application. */
  #run(template: SqlTemplate, statements: readonly Statement[]): Ran {
    const presumed: Presumed[] = []
    let run = statements
    for (;;) {
      const observation = this.#laboratory.run(template, run, presumed)
      const { failure } = observation
      const unknown = /^no such function: (.+)$/.exec(failure ?? "")?.[1]
      this.isForeign ||= unknown !== undefined && isForeignCall(unknown)
      const fitted = failure === undefined ? undefined : fittedTo(failure, run)
      if (fitted !== undefined) {
        run = fitted
        continue
      }
      const missing = failure === undefined ? undefined : presumedBy(failure, this.#payload)
      const isAgain = presumed.some((one) => JSON.stringify(one) === JSON.stringify(missing))
      if (missing === undefined || isAgain || presumed.length >= PRESUMED_MAX) {
        return { observation, presumed }
      }
      presumed.push(missing)
    }
  }

  #effects(run: Trial): readonly TwinEffect[] {
    const { template, width, ran } = run
    const baseline = (value: string) => this.#baseline(baselineOf(template, width, value), run)
    const { isAnswered } = ran.observation
    const bound = isAnswered ? baseline(this.#payload) : NOTHING
    return effectsOf({
      ...{ template, dialect: run.dialect, bound, canary: this.#canary, payload: this.#payload },
      ...{ program: ran.observation, hasCode: run.hasCode, isOnlyCut: run.isOnlyCut },
      leading: isAnswered ? this.#leading(run, baseline) : undefined,
      tables: this.#tables(run, bound),
    })
  }

  /** As they are where the payload is only a value. */
  #tables(run: Trial, bound: Observation): string | undefined {
    if (run.ran.observation.tables === undefined) return undefined
    return bound.tables ?? this.#laboratory.tables(run.template, run.ran.presumed)
  }

  #leading(
    { template, width, ran }: Trial,
    baseline: (value: string) => Observation,
  ): Observation | undefined {
    const value = leadingValue(this.#payload, template)
    if (value === undefined) return undefined
    if (template.quote !== "") return baseline(value)
    const { text } = programOf(template, width, value)
    return this.#baseline(text, { template, ran })
  }

  #baseline(sql: string, { template, ran }: Pick<Trial, "template" | "ran">): Observation {
    const statement = { sql, isForeign: false, outfile: undefined }
    return this.#laboratory.run(template, [statement], ran.presumed)
  }

  /** A call that takes time was reached: what it takes is measured, once for a payload. */
  #delay(run: DelayTrial): TwinEffect | undefined {
    const { delayMark } = this.#traps(run.dialect)
    const { failure } = run.ran.observation
    const mark = failure?.indexOf(delayMark) ?? -1
    if (failure === undefined || mark < 0) return undefined
    this.#isDelayConfirmed ||= this.#takesTime(run)
    if (!this.#isDelayConfirmed) return undefined
    const seconds = Number.parseFloat(failure.slice(mark + delayMark.length))
    return effect("delay_measured", `the statement took longer, as by a call for ${seconds} s`)
  }

  /** The machine may be busy: one of several tries is enough. */
  #takesTime({ template, dialect, tokens, ran }: DelayTrial): boolean {
    const statements = translate(tokens, { ...this.#traps(dialect), delayMode: "burn" })
    const value = leadingValue(this.#payload, template) ?? ""
    const quietSql = baselineOf(template, template.widths[0] ?? 1, value)
    const quiet = [{ sql: quietSql, isForeign: false, outfile: undefined }]
    for (let tries = 0; tries < DELAY.triesMax; tries++) {
      const quietMs = elapsedMs(() => this.#laboratory.run(template, quiet, ran.presumed))
      const slowMs = elapsedMs(() => this.#laboratory.run(template, statements, ran.presumed))
      if (slowMs >= DELAY.msMin && slowMs >= DELAY.ratioMin * quietMs) return true
    }
    return false
  }

  #traps(dialect: Dialect): Traps {
    const session = sessionOf(this.#canary)
    return { session, dialect, delayMode: "report", delayMark: `delay ${this.#canary} ` }
  }
}

/** Behind a final semicolon stands the rest of the template: drivers of SQLite do not read it. */
function withoutRest(statements: readonly Statement[], payload: string): readonly Statement[] {
  const last = statements.at(-1)
  const isRest = last?.sql === undefined && last?.isForeign === false && statements.length > 1
  return isRest && payload.trimEnd().endsWith(";") ? statements.slice(0, -1) : statements
}

function isBroken({ effects }: TwinAttempt): boolean {
  return effects.every(({ kind }) => kind === "syntax_error")
}

/** A program with quotes around the payload is left by the quote, or by what escapes one. */
function canLeave(payload: string, { quote, text, fits }: SqlTemplate): boolean {
  if (fits === undefined ? isTooShallow(payload, text) : !fits.test(payload)) return false
  return quote === "" || payload.includes(quote) || payload.includes("\\")
}

function isTooShallow(payload: string, text: string): boolean {
  return text.includes("{") && closedBy(payload) <= USUAL_DEPTH
}

function leadingValue(payload: string, { quote, isArrangement }: SqlTemplate): string | undefined {
  if (quote !== "") return payload.split(quote)[0]
  const pattern = isArrangement ? /^\s*\w+(?:\s+(?:asc|desc)\b)?/i : /^\s*-?\d+(?:\.\d+)?/
  return pattern.exec(payload)?.[0]
}

/** A text that is only cut off by a comment presumes an account where it begins with a name. */
const CUT = /^[^'"]*['"]\s*(?:--|#|\/\*)/
const ACCOUNT = /^[\w.@+-]+$/

function seedOf(payload: string): SeedValue {
  const [name = ""] = payload.split(/['"]/)
  const id = Number(/^\s*-?\d{1,15}/.exec(payload)?.[0] ?? Number.NaN)
  const isName = name !== "" && name.length <= SEED_CHARACTERS_MAX && name.length < payload.length
  const isPresumed = isName && (!CUT.test(payload) || ACCOUNT.test(name))
  return { name: isPresumed ? name : undefined, id: Number.isSafeInteger(id) ? id : undefined }
}

function attemptOf(
  template: SqlTemplate,
  program: Program,
  effects: readonly TwinEffect[],
): TwinAttempt | undefined {
  if (effects.length === 0) return undefined
  const text = program.text.slice(0, TWIN_LIMITS.programCharactersMax)
  return { template: template.name, program: text, effects }
}

function readAs(dialect: Dialect): (one: TwinEffect) => TwinEffect {
  return ({ kind, detail }) => effect(kind, `${dialect}: ${detail}`)
}

function elapsedMs(work: () => void): number {
  const startMs = performance.now()
  work()
  return performance.now() - startMs
}
