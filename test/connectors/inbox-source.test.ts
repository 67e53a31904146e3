import { afterEach, beforeEach, expect, test } from "bun:test"
import {
  appendFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { systemClock } from "../../src/clock.ts"
import {
  type InboxOptions,
  type InboxSource,
  inboxDeadLetters,
  inboxSource,
} from "../../src/connectors/inbox-source.ts"
import { submitToInbox } from "../../src/connectors/inbox-submission.ts"
import type { DeadLetter, SourceRecord } from "../../src/stream/types.ts"
import { until } from "../support/until.ts"

const PARTITION = { topic: "inbox", partition: 0 }
let root: string
let source: InboxSource
let records: SourceRecord[]
let holdAfter: number
let problems: unknown[]
let rejected: string[]

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "inbox-"))
  records = []
  problems = []
  rejected = []
  holdAfter = Number.POSITIVE_INFINITY
  for (const name of ["inbox", "done", "failed"]) await mkdir(join(root, name))
})

afterEach(async () => {
  await source.close()
  await rm(root, { recursive: true })
})

async function startSource(options: Partial<InboxOptions> = {}) {
  source = inboxSource({
    inbox: join(root, "inbox"),
    done: join(root, "done"),
    failed: join(root, "failed"),
    clock: systemClock,
    pollMs: 10,
    settleMs: 20,
    documentBytesMax: 1_000,
    onProblem: (error) => problems.push(error),
    onRejected: ({ file, code }) => rejected.push(`${file} ${code}`),
    ...options,
  })
  await source.start({
    assigned: () => undefined,
    revoked: async () => undefined,
    record: (record) => records.push(record) < holdAfter,
    ended: () => undefined,
    failed: (error) => problems.push(error),
  })
}

const drop = (name: string, content: string | Uint8Array) =>
  writeFile(join(root, "inbox", name), content)

const names = (folder: string) => readdir(join(root, folder))

const reason = async (name: string) =>
  JSON.parse(await readFile(join(root, "failed", `${name}.error.json`), "utf8"))

const commitAll = () => source.commit(PARTITION, BigInt(records.length))

const texts = () => records.map((record) => Buffer.from(record.value).toString())

function deadLetter(record: SourceRecord): DeadLetter {
  return { code: "MALFORMED", operator: "o", message: "m", attempts: 1, failedAtMs: 0, record }
}

test("inboxSource emits a dropped document and moves it to done once committed", async () => {
  await startSource()
  await drop("a.json", '{"a":1}')
  await until(() => records.length === 1)
  expect(records[0]).toMatchObject({
    ...PARTITION,
    offset: 0n,
    key: null,
    headers: { file: "a.json" },
  })
  expect(texts()).toEqual(['{"a":1}'])
  expect(await names("inbox")).toEqual(["a.json"])
  await commitAll()
  expect(await names("inbox")).toEqual([])
  expect(await names("done")).toEqual(["a.json"])
})

test("inboxSource emits one record for each line of .jsonl and .jsonl.gz", async () => {
  await drop("a.jsonl", "1\n\n2\r\n3")
  await drop("b.jsonl.gz", Buffer.concat([gzipSync("4\n"), gzipSync("5\n")]))
  await startSource()
  await until(() => records.length === 5)
  expect(texts()).toEqual(["1", "2", "3", "4", "5"])
  expect(records.map((record) => record.offset)).toEqual([0n, 1n, 2n, 3n, 4n])
  expect(records[2]?.headers).toEqual({ file: "a.jsonl", line: "4" })
  await source.commit(PARTITION, 4n)
  expect(await names("done")).toEqual(["a.jsonl"])
  await commitAll()
  expect(await names("done")).toEqual(["a.jsonl", "b.jsonl.gz"])
})

test("inboxSource moves a file to failed with the reason when one record is a dead letter", async () => {
  await startSource()
  const letters = inboxDeadLetters(source)
  await drop("a.jsonl", "good\nbad\ngood\n")
  await drop("b.json", "good")
  await until(() => records.length === 4)
  const bad = records.find((record) => Buffer.from(record.value).toString() === "bad")
  if (bad === undefined) throw new Error("the bad record is missing")
  await letters.write(deadLetter(bad))
  await commitAll()
  expect(await names("failed")).toEqual(["a.jsonl", "a.jsonl.error.json"])
  expect(await reason("a.jsonl")).toEqual({ code: "MALFORMED", message: "m" })
  // a dead letter is logged and counted where it is written
  expect(rejected).toEqual([])
  expect(await names("done")).toEqual(["b.json"])
})

test("inboxSource waits while a file grows and reads it whole", async () => {
  let nowMs = 0
  await startSource({ settleMs: 150, clock: { ...systemClock, nowMs: () => nowMs } })
  for (let part = 0; part < 10; part += 1) {
    await appendFile(join(root, "inbox", "a.json"), "x".repeat(10))
    await Bun.sleep(20) // a few scans
    nowMs += 149
    await Bun.sleep(20)
    expect(records).toHaveLength(0)
  }
  await until(() => {
    nowMs += 150
    return records.length === 1
  })
  expect(texts()[0]).toBe("x".repeat(100))
})

test("inboxSource leaves dot, .tmp and .part files alone", async () => {
  for (const name of [".hidden.json", "a.json.tmp", "b.json.part", "c.json~"]) await drop(name, "1")
  await drop("z.json", "2")
  await startSource()
  await until(() => records.length > 0)
  await commitAll()
  expect(texts()).toEqual(["2"])
  expect(await names("inbox")).toHaveLength(4)
})

test("inboxSource refuses links, other names, oversized files and broken gzip with a reason", async () => {
  await writeFile(join(root, "secret.json"), "secret")
  await symlink(join(root, "secret.json"), join(root, "inbox", "link.json"))
  await drop("note.txt", "hello")
  await drop("large.json", "x".repeat(1_001))
  await drop("cut.jsonl.gz", gzipSync("1\n".repeat(100)).subarray(0, 20))
  await drop("wide.jsonl", `${"x".repeat(1_001)}\nok\n`)
  await startSource()
  await until(async () => {
    await commitAll()
    return (await names("inbox")).length === 0
  })
  expect(await reason("link.json")).toMatchObject({ code: "FILE_UNREADABLE" })
  expect(await reason("note.txt")).toMatchObject({ code: "MALFORMED", field: "file" })
  expect(await reason("large.json")).toMatchObject({ code: "TOO_LARGE", field: "file" })
  expect(await reason("cut.jsonl.gz")).toMatchObject({ code: "MALFORMED" })
  expect(await reason("wide.jsonl")).toMatchObject({ code: "TOO_LARGE", field: "line" })
  expect(rejected.sort()).toEqual([
    "cut.jsonl.gz MALFORMED",
    "large.json TOO_LARGE",
    "link.json FILE_UNREADABLE",
    "note.txt MALFORMED",
    "wide.jsonl TOO_LARGE",
  ])
  expect(texts().filter((text) => text === "ok")).toHaveLength(1)
  expect(texts()).not.toContain("secret")
  expect(await readFile(join(root, "secret.json"), "utf8")).toBe("secret")
})

test("inboxSource handles names that are no UTF-8 or hold control characters", async () => {
  const raw = Buffer.concat([
    Buffer.from(`${root}/inbox/`),
    Buffer.from([0xff, 10, 27]),
    Buffer.from(".json"),
  ])
  await writeFile(raw, "1")
  await startSource()
  await until(() => records.length === 1)
  await commitAll()
  expect(await names("done")).toEqual(["___.json"])
})

test("inboxSource never moves a file over another of the same name", async () => {
  await startSource()
  for (let count = 1; count <= 3; count += 1) {
    await drop("a.json", `${count}`)
    await until(() => records.length === count)
    await commitAll()
  }
  expect((await names("done")).toSorted()).toEqual(["a-1.json", "a-2.json", "a.json"])
})

test("inboxSource holds after the engine says so, until resume", async () => {
  holdAfter = 2
  await drop("a.jsonl", "1\n2\n3\n4\n")
  await startSource()
  await until(() => records.length === 2)
  await Bun.sleep(60)
  expect(records).toHaveLength(2)
  holdAfter = Number.POSITIVE_INFINITY
  source.resume(PARTITION)
  await until(() => records.length === 4)
})

test("inboxSource bounds the bytes read ahead of the commits", async () => {
  await drop("a.jsonl", `${"x".repeat(100)}\n`.repeat(10))
  await startSource({ readAheadBytesMax: 250 })
  await until(() => records.length === 3)
  await Bun.sleep(60)
  expect(records).toHaveLength(3)
  await source.commit(PARTITION, 3n)
  await until(() => records.length === 6)
})

test("inboxSource leaves a file that it had not finished for the next start", async () => {
  holdAfter = 1
  await drop("a.jsonl", "1\n2\n")
  await startSource()
  await until(() => records.length === 1)
  await source.stop()
  await commitAll()
  expect(await names("inbox")).toEqual(["a.jsonl"])
})

test("inboxSource reads a file again that was replaced while it was in flight", async () => {
  await startSource()
  await drop("a.json", "old")
  await until(() => records.length === 1)
  await drop("a.json", "newer")
  await commitAll()
  await until(() => records.length === 2)
  expect(texts()).toEqual(["old", "newer"])
})

test("submitToInbox names the event by its digest, once, and counts without settling", async () => {
  await startSource({ settleMs: 3_600_000 })
  const bytes = Buffer.from('{"session_id":"s"}')
  const submit = () => submitToInbox(join(root, "inbox"), bytes, { tags: ["poi"] })
  const answers = await Promise.all([submit(), submit(), submit()])
  const eventId = new Bun.CryptoHasher("sha256").update(bytes).digest("hex")
  expect(answers).toEqual([{ eventId }, { eventId }, { eventId }])
  await until(() => records.length === 1)
  expect(JSON.parse(records[0]?.headers.enrichment ?? "")).toEqual({ tags: ["poi"] })
  await commitAll()
  expect(await names("inbox")).toEqual([])
  expect(await names("done")).toContain(`evidence-${eventId}.json`)
})
