import { describe, expect, test } from "bun:test"
import type { DeadLetters, RedriveRequest } from "../../src/api/parts.ts"
import { createReader, deadLetterAnswer, deadLettersAnswer } from "../../src/api/schemas.ts"
import type { DeadLetterQuery, StoredDeadLetter } from "../../src/stream/types.ts"
import { expectError, start } from "../support/api-client.ts"
import { record } from "../support/list-source.ts"

const BASE = "/api/v1/sentinel"
const TOKEN = "t0ken-of-the-test"
const ID = "ab".repeat(32)

const stored: StoredDeadLetter = {
  ...{
    code: "MALFORMED",
    operator: "decode_event",
    message: "why",
    attempts: 2,
    failedAtMs: 5_000,
  },
  ...{ record: record(7, "bytes", { key: "k" }), id: ID, state: "open", redrives: 0 },
}

function parts() {
  const queries: DeadLetterQuery[] = []
  const redrives: RedriveRequest[] = []
  const deadLetters: DeadLetters = {
    list(query) {
      queries.push(query)
      return { items: [stored], cursor: "next" }
    },
    get: (id) => (id === ID ? stored : undefined),
    async redrive(request) {
      redrives.push(request)
      return { redriven: [ID], skipped: [], failed: [], isComplete: true, cursor: undefined }
    },
  }
  return { queries, redrives, operating: { deadLetters, topology: undefined } }
}

describe("dead letters", () => {
  test("createApi lists letters without bytes and passes the filters on", async () => {
    const { operating, queries } = parts()
    const { send } = start({ operating })
    const { json } = await send(`${BASE}/dead-letters?code=MALFORMED&since=1000&limit=3`)
    expect(queries).toEqual([{ code: "MALFORMED", sinceMs: 1_000, limit: 3 }])
    expect(json.dead_letters[0]).toMatchObject({ id: ID, offset: "7", state: "open" })
    expect(JSON.stringify(json)).not.toContain("value_base64")
    expect(createReader(deadLettersAnswer)(json)).toEqual(json)
    expectError(await send(`${BASE}/dead-letters?limit=x`), [422, "MALFORMED", "limit"])
  })

  test("createApi shows the original bytes, and redrives, only to who has the token", async () => {
    const { operating, redrives } = parts()
    const { send } = start({ operating, apiToken: TOKEN })
    const headers = { authorization: `Bearer ${TOKEN}` }
    const path = `${BASE}/dead-letters/${ID}`
    const again = { body: JSON.stringify({ ids: [ID], again: true }) }
    expectError(await send(path), [401, "UNAUTHORIZED"])
    expectError(await send(`${BASE}/dead-letters/redrive`, again), [401, "UNAUTHORIZED"])
    expect(redrives).toEqual([])
    const { json } = await send(path, { headers })
    expect(Buffer.from(json.value_base64, "base64").toString()).toBe("bytes")
    expect(createReader(deadLetterAnswer)(json)).toEqual(json)
    const redriven = await send(`${BASE}/dead-letters/redrive`, { ...again, headers })
    expect(redriven.json).toMatchObject({ redriven: [ID], complete: true, cursor: null })
    expect(redrives).toEqual([{ ids: [ID], again: true, limit: 100 }])
    expectError(await send(`${BASE}/dead-letters/${"0".repeat(64)}`, { headers }), [
      404,
      "NOT_FOUND",
    ])
  })

  test.each([
    [{ ids: ["../x"] }, "ids"],
    [{ limit: 0 }, "limit"],
    [{ since: "yesterday" }, "since"],
  ])("createApi refuses to redrive %j", async (body, field) => {
    const { operating, redrives } = parts()
    const { post } = start({ operating })
    expectError(await post(`${BASE}/dead-letters/redrive`, body), [422, "MALFORMED", field])
    expect(redrives).toEqual([])
  })

  test("createApi answers 503 where there are none, or no flow", async () => {
    const { send } = start()
    expectError(await send(`${BASE}/dead-letters`), [503, "UNAVAILABLE"])
    expectError(await send(`${BASE}/topology`), [503, "UNAVAILABLE"])
    const topology = async () => ({ name: "analysis", nodes: [], edges: [] })
    const running = start({ operating: { deadLetters: undefined, topology } })
    expect((await running.send(`${BASE}/topology`)).json.name).toBe("analysis")
  })
})
