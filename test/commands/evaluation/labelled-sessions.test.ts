import { describe, expect, test } from "bun:test"
import {
  generateLabelledSessions,
  readLabelledSessions,
} from "../../../src/commands/evaluation/labelled-sessions.ts"
import { MalformedError } from "../../../src/errors.ts"

async function read(...lines: readonly string[]) {
  async function* source() {
    yield* lines
  }
  return await Array.fromAsync(readLabelledSessions(source()))
}

describe("labelled sessions", () => {
  test("readLabelledSessions hands the evidence on as it was written", async () => {
    const [session] = await read(
      '{"truth":"attack","evidence":{"n": 1.0,"big":12345678901234567890}}',
    )
    expect(session?.truth).toBe("attack")
    const bytes = session !== undefined && "bytes" in session ? session.bytes : undefined
    expect(new TextDecoder().decode(bytes)).toBe('{"n": 1.0,"big":12345678901234567890}')
  })

  test("readLabelledSessions skips empty lines and keeps the enrichment", async () => {
    const sessions = await read(
      "",
      '{"truth":"benign","evidence":{},"enrichment":{"tags":["poi"]}}',
      '{"truth":"anomalous","evidence":{},"enrichment":null}',
    )
    expect(sessions).toMatchObject([{ enrichment: { tags: ["poi"] } }, { truth: "anomalous" }])
    expect(sessions[1]).not.toHaveProperty("enrichment")
  })

  test("readLabelledSessions takes a session_id for evidence that lies elsewhere", async () => {
    const sessions = await read('{"session_id":"s-1","truth":"benign","population":"crawler"}')
    expect(sessions).toEqual([{ sessionId: "s-1", truth: "benign", population: "crawler" }])
  })

  test.each([
    ["not json", "line 1"],
    ["[]", "line 1.truth"],
    ['{"truth":"odd","evidence":{}}', "line 1.truth"],
    ['{"truth":"benign"}', "line 1.evidence"],
    ['{"truth":"benign","evidence":"text"}', "line 1.evidence"],
  ])("readLabelledSessions refuses %p and names the line and the field", async (line, field) => {
    const problem = await read(line).catch((error: unknown) => error)
    expect(problem).toBeInstanceOf(MalformedError)
    expect(problem).toMatchObject({ field })
  })

  test("generateLabelledSessions gives the same bytes for the same seed, of every truth", () => {
    const once = [...generateLabelledSessions(60, 5)]
    expect([...generateLabelledSessions(60, 5)]).toEqual(once)
    expect(new Set(once.map((session) => session.truth)).size).toBe(3)
  })
})
