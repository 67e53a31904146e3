import { afterEach, beforeEach, expect, test } from "bun:test"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gunzipSync, gzipSync } from "node:zlib"
import fc from "fast-check"
import {
  type EvidenceFile,
  readEvidenceFiles,
  textLines,
} from "../../src/connectors/evidence-file.ts"
import { lineWriter } from "../../src/connectors/line-writer.ts"
import { splitLines } from "../../src/connectors/lines.ts"

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "evidence-"))
})

afterEach(() => rm(directory, { recursive: true }))

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(directory, name)
  await writeFile(path, content)
  return path
}

function told(item: EvidenceFile): string {
  return "error" in item ? item.error.code : Buffer.from(item.bytes).toString("latin1")
}

async function* chunksOf(...parts: string[]) {
  for (const part of parts) yield Buffer.from(part)
}

test("readEvidenceFiles yields every document in the order given", async () => {
  const paths = [
    await file("b.har", "har"),
    await file("a.json", "json"),
    await file("c.jsonl.gz", gzipSync("1\n2\n")),
    await file("d.tar.gz", Buffer.from([0x1f, 0x8b, 0])),
  ]
  const items = await Array.fromAsync(readEvidenceFiles(paths))
  expect(items.map(told)).toEqual(["har", "json", "1", "2", "\x1f\x8b\0"])
  expect(items[2]?.name).toBe(`${paths[2]}:1`)
})

test("readEvidenceFiles goes on after what it cannot read and names why", async () => {
  const paths = [
    join(directory, "missing.json"),
    await file("a.exe", "x"),
    await file("large.json", "x".repeat(101)),
    await file("cut.jsonl.gz", gzipSync("1\n").subarray(0, 15)),
    await file("wide.jsonl", `${"x".repeat(101)}\nok`),
    directory,
    await file("good.json", "good"),
  ]
  const items = await Array.fromAsync(readEvidenceFiles(paths, { documentBytesMax: 100 }))
  expect(items.map(told)).toEqual([
    "FILE_UNREADABLE",
    "MALFORMED",
    "TOO_LARGE",
    "1",
    "MALFORMED",
    "TOO_LARGE",
    "ok",
    "MALFORMED",
    "good",
  ])
})

test("readEvidenceFiles reads JSON lines from standard input for -", async () => {
  const items = await Array.fromAsync(
    readEvidenceFiles("-", { stdin: chunksOf('{"a', '":1}\n{}') }),
  )
  expect(items.map(told)).toEqual(['{"a":1}', "{}"])
  expect(items.map((item) => item.name)).toEqual(["-:1", "-:2"])
})

test("lineWriter and textLines carry lines unchanged, plain and gzipped", async () => {
  const lines = Array.from({ length: 20_000 }, (_, index) => `line ${index} é \u2028`)
  for (const name of ["out.jsonl", "out.jsonl.gz"]) {
    const path = join(directory, name)
    const writer = lineWriter(path)
    for (const line of lines) await writer.write(line)
    await writer.close()
    expect(await Array.fromAsync(textLines(path))).toEqual(lines)
  }
  const zipped = await readFile(join(directory, "out.jsonl.gz"))
  expect(gunzipSync(zipped).toString()).toBe(`${lines.join("\n")}\n`)
})

test("lineWriter rejects where the file cannot be created", async () => {
  for (const name of ["missing/a.jsonl", "missing/a.jsonl.gz"]) {
    const writer = lineWriter(join(directory, name))
    const failed = (async () => {
      await writer.write("x")
      await writer.close()
    })()
    await expect(failed).rejects.toMatchObject({ code: "FILE_UNREADABLE" })
  }
})

// Oracle: the whole text split at once, whatever the chunks.
test("splitLines finds the same lines however the text is cut into chunks", async () => {
  const chunks = fc.array(fc.string({ unit: fc.constantFrom("a", "b", "\n", "\r") }), {
    maxLength: 12,
  })
  await fc.assert(
    fc.asyncProperty(chunks, async (parts) => {
      const expected = parts
        .join("")
        .split("\n")
        .map((line, index) => ({ number: index + 1, text: line.replace(/\r$/, "") }))
        .filter(({ text }) => text !== "")
      const bounds = { lineBytesMax: 1_000, textBytesMax: 10_000 }
      const found = await Array.fromAsync(splitLines(chunksOf(...parts), bounds))
      expect(
        found.map((line) => ({
          number: line.number,
          text: "error" in line ? "error" : line.bytes.toString(),
        })),
      ).toEqual(expected)
    }),
  )
})
