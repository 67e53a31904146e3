import { expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { MalformedError } from "../../../src/errors.ts"
import { labelledBenign } from "../../../src/rules/benign/labelled-benign.ts"

test("labelledBenign reads the benign rows of plain and packed files, and nothing else", async () => {
  const directory = mkdtempSync(join(tmpdir(), "benign-"))
  try {
    const rows = (text: string) =>
      `${JSON.stringify({ text, label: "benign" })}\n${JSON.stringify({ text: "x", label: "xss" })}\n`
    await Bun.write(join(directory, "b.jsonl"), rows("plain"))
    await Bun.write(join(directory, "a.jsonl.gz"), Bun.gzipSync(rows("packed")))
    await Bun.write(join(directory, "notes.txt"), "none")
    expect(await labelledBenign(directory)).toEqual(["packed", "plain"])
    await Bun.write(join(directory, "c.jsonl"), '{"text": 1}\n')
    await expect(labelledBenign(directory)).rejects.toThrow(MalformedError)
  } finally {
    rmSync(directory, { recursive: true })
  }
})
