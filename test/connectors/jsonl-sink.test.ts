import { afterEach, beforeEach, expect, test } from "bun:test"
import { appendFile, mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { jsonlSink } from "../../src/connectors/jsonl-sink.ts"
import { explainedVerdict } from "../store/verdicts.ts"
import { operatorContext } from "../support/operator-context.ts"

let directory: string
let path: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "jsonl-"))
  path = join(directory, "verdicts.jsonl")
})

afterEach(() => rm(directory, { recursive: true }))

const context = operatorContext()

const lines = async (name: string) =>
  (await readFile(name, "utf8"))
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line).event_id)

test("jsonlSink appends one whole line for each verdict, in order of arrival", async () => {
  const sink = jsonlSink(path)
  const ids = Array.from({ length: 100 }, (_, index) => `event-${index}`)
  await Promise.all(ids.map((id) => sink.write(explainedVerdict(id), context)))
  expect(await lines(path)).toEqual(ids)
  const first = JSON.parse((await readFile(path, "utf8")).split("\n")[0] ?? "")
  expect(first.verdict).toEqual(explainedVerdict("event-0").verdict)
  expect(first.session_id).toBe("session-1")
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  await sink.close?.()
})

test("jsonlSink removes a line cut by a crash and goes on after it", async () => {
  const first = jsonlSink(path)
  await first.write(explainedVerdict("a"), context)
  await first.close?.()
  await appendFile(path, '{"event_id":"cut')
  const second = jsonlSink(path)
  await second.write(explainedVerdict("b"), context)
  await second.close?.()
  expect(await lines(path)).toEqual(["a", "b"])
})

test("jsonlSink sets full files aside and keeps a bounded number of them", async () => {
  const sink = jsonlSink(path, { fileBytesMax: 10, filesMax: 2 })
  for (const id of ["a", "b", "c", "d"]) await sink.write(explainedVerdict(id), context)
  await sink.close?.()
  expect((await readdir(directory)).toSorted()).toEqual([
    "verdicts.jsonl",
    "verdicts.jsonl.1",
    "verdicts.jsonl.2",
  ])
  expect(await lines(path)).toEqual(["d"])
  expect(await lines(`${path}.2`)).toEqual(["b"])
})

test("jsonlSink rejects with a retryable error while the file cannot be written", async () => {
  const sink = jsonlSink(join(directory, "missing", "verdicts.jsonl"))
  const failed = sink.write(explainedVerdict("a"), context)
  await expect(failed).rejects.toMatchObject({ code: "UNAVAILABLE", retryable: true })
})

test("jsonlSink writes nothing that a terminal would obey", async () => {
  const sink = jsonlSink(path)
  await sink.write(explainedVerdict("event\u009b31m\u202e"), context)
  await sink.close?.()
  expect(await readFile(path, "utf8")).not.toMatch(/[\u007f-\u009f\u202e]/)
  expect(await lines(path)).toEqual(["event\u009b31m\u202e"])
})
