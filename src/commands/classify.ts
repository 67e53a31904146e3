import { openModels } from "../compose/models.ts"
import { readConfig } from "../config.ts"
import { textLines } from "../connectors/evidence-file.ts"
import { lineWriter } from "../connectors/line-writer.ts"
import { classifyLines } from "../ml/training/classify-lines.ts"
import { endProgress, showProgress, type Terminal } from "./terminal.ts"

const PROGRESS_EVERY_LINES = 1_000

/**
 * Classifies JSON lines with `text` (and optional `kind`, `context`) in constant memory.
 *
 * @param files `-` = stdin or stdout; a name that ends in `.gz` is gzip
 * @returns 1 where a line was refused; the line written in its place holds the error
 */
export async function classify(
  files: { readonly in: string; readonly out: string },
  terminal: Terminal,
): Promise<number> {
  const { classifier } = await openModels(readConfig(terminal.env))
  const output = files.out === "-" ? undefined : lineWriter(files.out)
  let lines = 0
  let refused = 0
  for await (const { text, refused: isRefused } of classifyLines(textLines(files.in), classifier)) {
    if (isRefused) refused++
    if (output === undefined) await terminal.write(`${text}\n`)
    else await output.write(text)
    lines++
    if (lines % PROGRESS_EVERY_LINES === 0) showProgress(terminal, `${lines} lines`)
  }
  await output?.close()
  endProgress(terminal)
  return refused === 0 ? 0 : 1
}
