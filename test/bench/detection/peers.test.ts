import { expect, test } from "bun:test"
import { detectorRows, measureDetector } from "../../../bench/detection/measure-detector.ts"
import { judgeByPeer, type Peer, runTool } from "../../../bench/detection/peer.ts"
import { measureByPeer } from "../../../bench/detection/replayed-classifier.ts"
import { detectionRows } from "../../../bench/detection/rows.ts"
import { UnavailableError } from "../../../src/errors.ts"
import type { LabelledPayload } from "../../../src/ml/evaluation/labelled-payloads.ts"

/** A peer as every other: a program that calls whatever holds `<` an attack. */
const PROGRAM = `
  const lines = (await Bun.stdin.text()).trimEnd().split("\\n")
  for (const line of lines) {
    const { text, kind } = JSON.parse(line)
    const attack = text.includes("<") && kind === "param"
    process.stdout.write(JSON.stringify({ class: attack ? "xss" : "benign", score: null, us: 2 }) + "\\n")
  }
`
const PEER: Peer = { name: "angle", command: [process.execPath, "-e", PROGRAM] }

const ROWS: readonly LabelledPayload[] = [
  { text: "<script>", label: "xss", source: "test" },
  { text: "' or 1=1", label: "sql_injection", source: "test" },
  { text: "a < b", label: "benign", source: "test" },
  { text: "plain\ntext", label: "benign", source: "test" },
]

test("judgeByPeer gives one judgement for each row, in their order", async () => {
  const judgements = await judgeByPeer(PEER, ROWS)
  expect(judgements.map((judgement) => judgement.class)).toEqual(["xss", "benign", "xss", "benign"])
  expect(judgements[0]).toEqual({ class: "xss", score: null, microseconds: 2 })
})

test("judgeByPeer refuses a peer that loses rows", async () => {
  const silent: Peer = { name: "silent", command: [process.execPath, "-e", "0"] }
  await expect(judgeByPeer(silent, ROWS)).rejects.toThrow()
})

test("runTool says which program is missing, and how one failed", async () => {
  const reason = (promise: Promise<string>) => promise.catch((error: UnavailableError) => error)
  const missing = await reason(runTool(["no-such-program-here"]))
  expect(missing).toBeInstanceOf(UnavailableError)
  expect(missing).toHaveProperty("cause", "no no-such-program-here here")
  const failed = await reason(runTool([process.execPath, "-e", "throw new Error('broken pipe')"]))
  expect(failed).toBeInstanceOf(UnavailableError)
})

test("measureByPeer and detectorRows judge a peer as a classifier, plain and encoded", async () => {
  const { figures, judgements } = await measureByPeer(PEER, (classifier) =>
    measureDetector(classifier, ROWS, { quick: true }),
  )
  expect(judgements).toHaveLength(2 * ROWS.length)
  const rows = detectorRows("angle", figures, { hasScore: false, microseconds: 2 })
  const values = Object.fromEntries(rows.map(({ name, value }) => [name, value]))
  expect(values).toEqual({
    "angle: recall": 0.5,
    "angle: false positive rate": 0.5,
    "angle: right class": 0.5,
    "angle: right class, sql_injection": 0,
    "angle: right class, xss": 1,
    "angle: recall, url twice": 0,
    "angle: false positive rate, url twice": 0,
    "angle: time, median": 2,
  })
})

test("measureDetector hides attacks in 4 KB unless quick", async () => {
  const { figures } = await measureByPeer(PEER, (classifier) =>
    measureDetector(classifier, ROWS, { quick: false }),
  )
  expect(figures.padding).toMatchObject({ characters: 4_096, attacks: 2, recallAtRate: 0 })
})

test("detectionRows without data are generated, mixed and not those of training", async () => {
  const { name, rows, training } = await detectionRows({}, { quick: true })
  expect(name).toBe("generated")
  expect(rows.filter(({ label }) => label === "benign")).toHaveLength(rows.length / 2)
  const known = new Set(training.map(({ text }) => text))
  const shared = rows.filter(({ text }) => text.length > 60 && known.has(text))
  expect(shared.length).toBeLessThan(rows.length / 100)
}, 60_000)
