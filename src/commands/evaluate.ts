import { createAnalyzer } from "../compose/analyzer.ts"
import { openModels } from "../compose/models.ts"
import { readConfig } from "../config.ts"
import { textLines } from "../connectors/evidence-file.ts"
import { type EvaluationReport, evaluatePayloads } from "../ml/evaluation/evaluate-payloads.ts"
import {
  evaluateSessions,
  type JudgedSession,
  type TruthShare,
} from "../ml/evaluation/evaluate-sessions.ts"
import { readLabelledPayloads } from "../ml/evaluation/labelled-payloads.ts"
import type { Analyzer } from "../ports.ts"
import { renderPayloads, renderSessions } from "./evaluation-tables.ts"
import {
  generateLabelledSessions,
  type LabelledSession,
  readLabelledSessions,
} from "./labelled-sessions.ts"
import { endProgress, showProgress, type Terminal } from "./terminal.ts"

export interface EvaluateOptions {
  readonly sessions?: string
  readonly generate?: number
  readonly seed: number
  readonly json?: boolean
}

interface Report {
  readonly payloads?: EvaluationReport
  readonly sessions?: readonly TruthShare[]
}

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
  const config = readConfig(terminal.env)
  const models = await openModels(config)
  const analyzer = createAnalyzer(models, config)
  const sessions = sessionsOf(options)
  const report: Report = {
    ...(data.length === 0
      ? {}
      : { payloads: await evaluatePayloads(readAll(data), models.classifier) }),
    ...(sessions === undefined
      ? {}
      : { sessions: await evaluateSessions(judge(sessions, analyzer, terminal)) }),
  }
  endProgress(terminal)
  if (report.payloads === undefined && report.sessions === undefined) {
    terminal.note("nothing to evaluate: give DATA files, --sessions FILE or --generate COUNT\n")
    return 2
  }
  await terminal.write(options.json === true ? `${JSON.stringify(report)}\n` : render(report))
  return 0
}

function sessionsOf(options: EvaluateOptions) {
  if (options.sessions !== undefined) return readLabelledSessions(textLines(options.sessions))
  if (options.generate === undefined) return undefined
  return generateLabelledSessions(options.generate, options.seed)
}

async function* readAll(paths: readonly string[]) {
  for (const path of paths) yield* readLabelledPayloads(textLines(path))
}

async function* judge(
  sessions: AsyncIterable<LabelledSession> | Iterable<LabelledSession>,
  analyzer: Analyzer,
  terminal: Terminal,
): AsyncGenerator<JudgedSession> {
  let judged = 0
  for await (const { truth, bytes, enrichment } of sessions) {
    const options = enrichment === undefined ? {} : { enrichment }
    const { verdict } = await analyzer.analyze(bytes, options)
    showProgress(terminal, `${++judged} sessions`)
    yield { truth, verdict }
  }
}

function render({ payloads, sessions }: Report): string {
  return [
    ...(payloads === undefined ? [] : [renderPayloads(payloads)]),
    ...(sessions === undefined ? [] : [renderSessions(sessions)]),
  ].join("\n")
}
