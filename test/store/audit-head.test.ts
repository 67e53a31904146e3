import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { openAuditHead, readAuditHead } from "../../src/store/audit-head.ts"

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "audit-head-"))
})

afterEach(() => rm(directory, { recursive: true }))

const head = (count: number) => ({ count, hash: String(count % 10).repeat(64) })

describe("openAuditHead", () => {
  test("openAuditHead keeps the last head over a restart", async () => {
    const first = openAuditHead(directory)
    expect(first.read()).toBeUndefined()
    await first.write(head(1))
    await first.write(head(2 ** 53 - 1))
    await first.close()
    const second = openAuditHead(directory)
    expect(second.read()).toEqual(head(2 ** 53 - 1))
    await second.close()
  })

  test("readAuditHead reads beside the writer, and makes no file where there is none", async () => {
    expect(await readAuditHead(directory)).toBeUndefined()
    expect(await Array.fromAsync(new Bun.Glob("*").scan(directory))).toEqual([])
    const heads = openAuditHead(directory)
    expect(await readAuditHead(directory)).toBeUndefined()
    for (let count = 1; count < 5; count += 1) {
      await heads.write(head(count))
      expect(await readAuditHead(directory)).toEqual(head(count))
    }
    await heads.close()
    expect(await readAuditHead(directory)).toEqual(head(4))
  })
})
