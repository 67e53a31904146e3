import { readdir } from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import { readEvidenceFiles } from "../../connectors/evidence-file.ts"
import { inboxKind } from "../../connectors/inbox-files.ts"
import { MalformedError, TooLargeError } from "../../errors.ts"
import type { Verdict } from "../../events.ts"
import type { Analyzer } from "../../ports.ts"
import type { NamedSession, SessionLabel } from "./labelled-sessions.ts"

/** A session's verdict beside what it truly is. */
export interface LabelledVerdict extends SessionLabel {
  readonly verdict: Verdict
}

const FILES_MAX = 10_000

/**
 * Analyses the evidence files that lie in the folder of a file of labels, and gives the verdict of
 * each session that a label names. Evidence without a label is passed over.
 *
 * @throws MalformedError for a label without evidence: a score over the rest would look like one
 *   over all
 */
export async function* judgeSessionsBeside(
  file: string,
  labels: readonly NamedSession[],
  analyzer: Analyzer,
): AsyncGenerator<LabelledVerdict> {
  const wanted = new Map(labels.map(({ sessionId, ...label }) => [sessionId, label]))
  for await (const item of readEvidenceFiles(await evidenceBeside(file))) {
    if ("error" in item) throw item.error
    const { verdict } = await analyzer.analyze(item.bytes, {})
    const label = wanted.get(verdict.session_id)
    if (label === undefined) continue
    wanted.delete(verdict.session_id)
    yield { ...label, verdict }
  }
  if (wanted.size > 0) {
    throw new MalformedError(
      "session_id",
      `in the evidence beside the file (${wanted.size} are not)`,
    )
  }
}

async function evidenceBeside(file: string): Promise<readonly string[]> {
  const names = await readdir(dirname(file))
  const evidence = names.filter(
    (name) => name !== basename(file) && inboxKind(Buffer.from(name)) !== undefined,
  )
  if (evidence.length > FILES_MAX) throw new TooLargeError("evidence beside the file", FILES_MAX)
  return evidence.sort().map((name) => join(dirname(file), name))
}
