import { afterEach, beforeEach, expect, test } from "bun:test"
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import fc from "fast-check"
import { SentinelError } from "../../src/errors.ts"
import { folderObjects } from "../../src/services/folder-objects.ts"

let root: string
let directory: string

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "objects-"))
  directory = join(root, "objects")
  await put("bucket/event/session.har", "har")
  await put("bucket/event/payloads/payload_000.txt", "one")
  await put("bucket/event-2/session.har", "other")
  await writeFile(join(root, "secret"), "secret")
})

afterEach(() => rm(root, { recursive: true }))

async function put(path: string, content: string): Promise<void> {
  await mkdir(dirname(join(directory, path)), { recursive: true })
  await writeFile(join(directory, path), content)
}

const get = (bucket: string, key: string, bytesMax = 100) =>
  folderObjects(directory).get(bucket, key, { bytesMax })

const list = (bucket: string, prefix: string, objectsMax = 10) =>
  folderObjects(directory).list(bucket, prefix, { objectsMax })

test("folderObjects gets an object with its key, bytes and time", async () => {
  const { key, bytes, modifiedMs } = await get("bucket", "event/session.har")
  expect([key, Buffer.from(bytes).toString()]).toEqual(["event/session.har", "har"])
  expect(Math.abs(Date.now() - modifiedMs)).toBeLessThan(600_000)
})

test("folderObjects lists every object under a prefix, as an object store would", async () => {
  const keys = async (prefix: string) => (await list("bucket", prefix)).map(({ key }) => key)
  expect(await keys("event/")).toEqual(["event/payloads/payload_000.txt", "event/session.har"])
  expect(await keys("event-2")).toEqual(["event-2/session.har"])
  expect(await keys("")).toHaveLength(3)
  expect(await keys("nothing/here/")).toEqual([])
})

test("folderObjects bounds bytes and numbers", async () => {
  await expect(get("bucket", "event/session.har", 2)).rejects.toMatchObject({ code: "TOO_LARGE" })
  await expect(list("bucket", "", 2)).rejects.toMatchObject({ code: "TOO_LARGE" })
})

test("folderObjects has no object where nothing or a directory lies", async () => {
  for (const key of ["missing", "event", "event/session.har/more", "x".repeat(300)]) {
    await expect(get("bucket", key)).rejects.toMatchObject({ code: "OBJECT_NOT_FOUND" })
  }
})

test("folderObjects refuses keys that leave the folder, by name or by link", async () => {
  await symlink(join(root, "secret"), join(directory, "bucket", "link"))
  await symlink(root, join(directory, "bucket", "up"))
  const keys = [
    "../../secret",
    "a/../../../secret",
    "/etc/passwd",
    "a\0b",
    ".",
    "",
    "link",
    "up/secret",
  ]
  for (const key of keys) {
    await expect(get("bucket", key)).rejects.toMatchObject({ code: "LOCATION_REFUSED" })
  }
  await expect(get("..", "secret")).rejects.toMatchObject({ code: "LOCATION_REFUSED" })
  await expect(list("bucket", "../")).rejects.toMatchObject({ code: "LOCATION_REFUSED" })
  const listed = (await list("bucket", "")).map(({ key }) => key)
  expect(listed.filter((key) => /link|secret/.test(key))).toEqual([])
})

test("folderObjects answers any key with a SentinelError and never with the secret", async () => {
  const part = fc.constantFrom("..", ".", "", "secret", "up", "event", "\0", "a", "\\", "~")
  const key = fc.array(part, { maxLength: 6 }).map((parts) => parts.join("/"))
  await symlink(root, join(directory, "bucket", "up"))
  await fc.assert(
    fc.asyncProperty(key, key, async (bucket, name) => {
      const outcome = await get(bucket === "" ? "bucket" : bucket, name).catch((error) => error)
      expect(outcome).toBeInstanceOf(SentinelError)
    }),
  )
})

test("folderObjects honours an aborted signal, and ping tells a missing folder", async () => {
  const signal = AbortSignal.abort(new Error("deadline"))
  const aborted = folderObjects(directory).get("bucket", "event/session.har", {
    bytesMax: 100,
    signal,
  })
  await expect(aborted).rejects.toThrow("deadline")
  await folderObjects(directory).ping()
  const missing = folderObjects(join(root, "missing")).ping()
  await expect(missing).rejects.toMatchObject({ code: "UNAVAILABLE", retryable: true })
})
