import { expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import answer from "../../../src/compose/rules/pattern-worker.ts"

test("pattern-worker holds a pattern against the shipped lines, stored texts and a directory of rows", async () => {
  const directory = mkdtempSync(join(tmpdir(), "benign-"))
  try {
    const row = { text: "1 union select from the floor", label: "benign" }
    await Bun.write(join(directory, "rows.jsonl"), `${JSON.stringify(row)}\n`)
    const task = {
      ...{ class: "sql_injection" as const, payload: "1 union select name from users" },
      ...{ minimised: undefined, location: "query:q", relatives: [], heldOut: [] },
    }
    const order = { task, stored: ["2 union select name"], benignDirectory: directory }
    const { made, corpora } = await answer(order)
    expect(corpora).toEqual({
      ...{ near_misses: 40_000, generated: 100_000, labelled: 1, stored: 1 },
      ...{ held_back_near_misses: 100_000, held_back_generated: 50_000 },
    })
    const regex = new RegExp(made?.pattern ?? "", "u")
    expect(regex.test("/item?q=1 union select name from users ")).toBe(true)
    expect(regex.test(`/item?q=${row.text} `)).toBe(false)
  } finally {
    rmSync(directory, { recursive: true })
  }
}, 120_000)
