import { afterEach, beforeEach, expect, test } from "bun:test"
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DataDirectoryInUseError } from "../../src/errors.ts"
import { findServer, ownDataDirectory } from "../../src/store/data-directory.ts"

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "data-"))
})

afterEach(() => rm(directory, { recursive: true }))

async function spawnOwner() {
  const script = join(import.meta.dir, "owner-child.ts")
  const child = Bun.spawn(["bun", script, directory], { stdin: "pipe", stdout: "pipe" })
  await child.stdout.getReader().read()
  return child
}

test("ownDataDirectory lays the directory out for its owner alone", async () => {
  const owned = ownDataDirectory(join(directory, "new"))
  const names = await readdir(owned.paths.root)
  expect(names).toEqual(expect.arrayContaining(["done", "failed", "inbox", "objects", "store"]))
  for (const name of names) {
    const { mode } = await stat(join(owned.paths.root, name))
    expect(mode & 0o077).toBe(0)
  }
  owned.release()
})

test("ownDataDirectory refuses a second owner in the same process until release", () => {
  const first = ownDataDirectory(directory)
  expect(() => ownDataDirectory(directory)).toThrow(DataDirectoryInUseError)
  first.release()
  first.release()
  ownDataDirectory(directory).release()
})

test("ownDataDirectory names the pid of the process that owns it, until kill -9", async () => {
  const child = await spawnOwner()
  expect(() => ownDataDirectory(directory)).toThrow(`process ${child.pid}`)
  expect(findServer(directory)).toMatchObject({ pid: child.pid, host: "127.0.0.1", port: 8003 })
  child.kill("SIGKILL")
  await child.exited
  expect(findServer(directory)).toBeUndefined()
  ownDataDirectory(directory).release()
})

test("findServer answers only once the address is announced and only until release", () => {
  const owned = ownDataDirectory(directory)
  expect(findServer(directory)).toBeUndefined()
  owned.announce({ host: "127.0.0.1", port: 9_000 })
  expect(findServer(directory)).toMatchObject({ pid: process.pid, port: 9_000 })
  owned.release()
  expect(findServer(directory)).toBeUndefined()
})

test("findServer takes a missing directory or a broken server.json for no server", async () => {
  expect(findServer(join(directory, "missing"))).toBeUndefined()
  const owned = ownDataDirectory(directory)
  for (const text of ["", "{", "null", "[]", '{"pid": "1", "host": 2, "port": "3"}']) {
    await writeFile(join(directory, "server.json"), text)
    expect(findServer(directory)).toBeUndefined()
  }
  owned.release()
})
