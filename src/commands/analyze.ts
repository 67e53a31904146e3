import { createAnalyzer } from "../compose/analyzer.ts"
import { openModels } from "../compose/models.ts"
import { readConfig } from "../config.ts"
import { readEvidenceFiles } from "../connectors/evidence-file.ts"
import { publicError } from "../errors.ts"
import { claimedSessionId } from "../evidence/evidence-document.ts"
import { jsonLine } from "../json-line.ts"
import type { Analyzer } from "../ports.ts"
import { endProgress, showProgress, type Terminal } from "./terminal.ts"

/**
 * Judges evidence documents: one JSON line each on stdout, in input order. Stores nothing.
 *
 * @param paths files by their name's ending, or `-` for JSON lines on stdin
 * @returns 1 where any document was refused; its line holds the error
 */
export async function analyze(paths: readonly string[], terminal: Terminal): Promise<number> {
  const config = readConfig(terminal.env)
  const analyzer = createAnalyzer(await openModels(config), config)
  let analyzed = 0
  let refused = 0
  for await (const document of readEvidenceFiles(paths)) {
    const { line, isRefused } = await analyzeOne(document, analyzer)
    await terminal.write(jsonLine(line))
    if (isRefused) refused++
    else analyzed++
    showProgress(terminal, `${analyzed} analysed, ${refused} refused`)
  }
  endProgress(terminal)
  return refused === 0 ? 0 : 1
}

type EvidenceFile = { readonly bytes: Uint8Array } | { readonly error: unknown }

async function analyzeOne(
  document: EvidenceFile,
  analyzer: Analyzer,
): Promise<{ line: unknown; isRefused: boolean }> {
  if ("error" in document) return refusal(document.error)
  try {
    const { verdict, explanation } = await analyzer.analyze(document.bytes)
    return { line: { session_id: verdict.session_id, verdict, explanation }, isRefused: false }
  } catch (error) {
    return refusal(error, claimedSessionId(document.bytes))
  }
}

function refusal(error: unknown, sessionId?: string) {
  const named = sessionId === undefined ? {} : { session_id: sessionId }
  return { line: { ...named, error: publicError(error) }, isRefused: true }
}
