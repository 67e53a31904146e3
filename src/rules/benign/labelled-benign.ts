import { readdir } from "node:fs/promises"
import { join } from "node:path"
import { readLabelledFile } from "../../ml/evaluation/labelled-payloads.ts"

/** Rows of a directory that are kept: as many as the shipped corpus has, for memory. */
const LABELLED_BENIGN_MAX = 100_000

/**
 * The benign rows of the labelled files of a directory (`*.jsonl`, `*.jsonl.gz`), file by file in the
 * order of their names.
 * @throws MalformedError naming the line of a row that is none, TooLargeError
 */
export async function labelledBenign(directory: string): Promise<readonly string[]> {
  const names = (await readdir(directory)).filter((name) => /\.jsonl(?:\.gz)?$/.test(name)).sort()
  const texts: string[] = []
  for (const name of names) {
    for (const { label, text } of await readLabelledFile(join(directory, name))) {
      if (texts.length >= LABELLED_BENIGN_MAX) return texts
      if (label === "benign") texts.push(text)
    }
  }
  return texts
}
