import { renderFeatureTable } from "../ml/sessions/featurize.ts"
import type { Terminal } from "./terminal.ts"

/** Prints the one table of session features that training and serving share. */
export async function features(terminal: Terminal): Promise<number> {
  await terminal.write(`${renderFeatureTable().trimEnd()}\n`)
  return 0
}
