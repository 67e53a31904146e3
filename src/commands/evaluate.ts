import { mkdir } from "node:fs/promises"
import { join, resolve } from "node:path"
import { createAnalyzer } from "../compose/analyzer.ts"
import { openModels } from "../compose/models.ts"
import { readConfig } from "../config.ts"
import { textLines } from "../connectors/evidence-file.ts"
import { MalformedError, TooLargeError } from "../errors.ts"
import { type DetectionReport, evaluateDetection } from "../ml/evaluation/evaluate-detection.ts"
import {
  evaluateSessions,
  type JudgedSession,
  type TruthShare,
} from "../ml/evaluation/evaluate-sessions.ts"
import { readLabelledPayloads } from "../ml/evaluation/labelled-payloads.ts"
import type { Analyzer } from "../ports.ts"
import { evaluationCharts } from "./evaluation/charts.ts"
import {
  generateLabelledSessions,
  type LabelledSession,
  type NamedSession,
  readLabelledSessions,
} from "./evaluation/labelled-sessions.ts"
import { renderPage } from "./evaluation/page.ts"
import { judgeSessionsBeside } from "./evaluation/sessions-beside.ts"
import {
  detectionTables,
  errorTables,
  renderTables,
  sessionTable,
  type Table,
} from "./evaluation/tables.ts"
import { endProgress, showProgress, type Terminal } from "./terminal.ts"

export interface EvaluateOptions {
  /** Sources that are left out, as those that the model was trained on. */
  readonly without?: readonly string[]
  readonly sessions?: string
  readonly generate?: number
  readonly seed: number
  /** Worst errors of each sort that are listed with their texts. */
  readonly errors: number
  readonly json?: boolean
  /** Folder for the report as a page, its charts and its figures. */
  readonly report?: string
}

/** What `--json` prints; docs/EVALUATION.md tells each field. */
export interface Evaluation {
  readonly payloads?: DetectionReport
  readonly sessions?: readonly TruthShare[]
}

const NAMED_SESSIONS_MAX = 1_000_000

/**
 * Measures the models on labelled data that they have not seen. Judges; changes nothing.
 *
 * @param data JSON lines with `text` and `label`
 * @throws MalformedError, or whatever the analysis of a session threw: a score over the rest would
 *   look like one over all
 */
export async function evaluate(
  data: readonly string[],
  options: EvaluateOptions,
  terminal: Terminal,
): Promise<number> {
  if (data.length === 0 && options.sessions === undefined && options.generate === undefined) {
    terminal.note("nothing to evaluate: give DATA files, --sessions FILE or --generate COUNT\n")
    return 2
  }
  const config = readConfig(terminal.env)
  // Rows come again re-spelt and timed: an answer remembered would be timed as one that was found.
  const models = await openModels({ ...config, cache: { ...config.cache, entriesMax: 1 } })
  const payloads = await evaluateRows(data, { options, terminal, classifier: models.classifier })
  const judged = judgeSessions(options, createAnalyzer(models, config), terminal)
  const sessions = await evaluateSessions(judged)
  if (options.sessions !== undefined && sessions.length === 0) {
    throw new MalformedError("sessions", "at least one labelled session")
  }
  endProgress(terminal)
  await publish(
    { ...(payloads && { payloads }), ...(sessions.length > 0 && { sessions }) },
    options,
    terminal,
  )
  return 0
}

async function evaluateRows(
  data: readonly string[],
  by: {
    readonly options: EvaluateOptions
    readonly terminal: Terminal
    readonly classifier: Parameters<typeof evaluateDetection>[1]
  },
): Promise<DetectionReport | undefined> {
  if (data.length === 0) return undefined
  const { seed, errors: errorsMax, without = [] } = by.options
  const rows = readAll(data, new Set(without))
  const onProgress = (message: string) => showProgress(by.terminal, message)
  const report = await evaluateDetection(rows, by.classifier, { seed, errorsMax, onProgress })
  if (report.rows === 0) throw new MalformedError("data", "at least one labelled payload")
  return report
}

async function* readAll(paths: readonly string[], without: ReadonlySet<string>) {
  for (const path of paths) {
    for await (const row of readLabelledPayloads(textLines(path))) {
      if (!without.has(row.source)) yield row
    }
  }
}

async function* judgeSessions(
  options: EvaluateOptions,
  analyzer: Analyzer,
  terminal: Terminal,
): AsyncGenerator<JudgedSession> {
  const named: NamedSession[] = []
  let judged = 0
  for await (const session of sessionsOf(options)) {
    if ("sessionId" in session) {
      if (named.length === NAMED_SESSIONS_MAX) throw new TooLargeError("labels", NAMED_SESSIONS_MAX)
      named.push(session)
      continue
    }
    yield await judgeSession(session, analyzer)
    showProgress(terminal, `${++judged} sessions`)
  }
  if (options.sessions === undefined || named.length === 0) return
  for await (const verdict of judgeSessionsBeside(options.sessions, named, analyzer)) {
    yield verdict
    showProgress(terminal, `${++judged} sessions`)
  }
}

async function* sessionsOf({ sessions, generate, seed }: EvaluateOptions) {
  if (sessions !== undefined) yield* readLabelledSessions(textLines(sessions))
  else if (generate !== undefined) yield* generateLabelledSessions(generate, seed)
}

async function judgeSession(session: LabelledSession, analyzer: Analyzer): Promise<JudgedSession> {
  const { bytes, enrichment, ...label } = session
  const { verdict } = await analyzer.analyze(bytes, enrichment === undefined ? {} : { enrichment })
  return { ...label, verdict }
}

async function publish(
  evaluation: Evaluation,
  options: EvaluateOptions,
  terminal: Terminal,
): Promise<void> {
  const json = `${JSON.stringify(evaluation)}\n`
  const tables = tablesOf(evaluation)
  if (options.report !== undefined) {
    await writeReport(resolve(options.report), { evaluation, tables, json })
  }
  await terminal.write(options.json === true ? json : renderTables(tables))
}

function tablesOf({ payloads, sessions }: Evaluation): readonly Table[] {
  return [
    ...(payloads === undefined ? [] : detectionTables(payloads)),
    ...(sessions === undefined ? [] : [sessionTable(sessions)]),
    ...(payloads === undefined ? [] : errorTables(payloads)),
  ]
}

async function writeReport(
  directory: string,
  content: {
    readonly evaluation: Evaluation
    readonly tables: readonly Table[]
    readonly json: string
  },
): Promise<void> {
  const { evaluation, tables, json } = content
  const charts = evaluation.payloads === undefined ? {} : evaluationCharts(evaluation.payloads)
  const title = `Evaluation of ${evaluation.payloads?.model ?? "the session models"}`
  await mkdir(directory, { recursive: true })
  await Bun.write(join(directory, "index.html"), renderPage({ title, tables, charts }))
  await Bun.write(join(directory, "report.json"), json)
  for (const [name, svg] of Object.entries(charts)) {
    await Bun.write(join(directory, `${name}.svg`), svg)
  }
}
