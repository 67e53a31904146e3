import { describe, expect, test } from "bun:test"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { instanceOf, isDeadOwner, ownerLabel, ownOwner } from "../../src/sandbox/instance.ts"
import { openPanicState } from "../../src/sandbox/panic-state.ts"

describe("instanceOf", () => {
  test("keeps the id of a state directory, and makes another where the file is spoilt", () => {
    const directory = mkdtempSync(join(tmpdir(), "sentinel-state-"))
    const made = instanceOf(directory)
    expect(instanceOf(directory)).toBe(made)
    writeFileSync(join(directory, "instance"), "../../etc\n")
    expect(instanceOf(directory)).toMatch(/^[0-9a-f-]{36}$/)
    rmSync(directory, { recursive: true })
  })
})

describe("isDeadOwner", () => {
  const own = ownOwner()

  test("knows itself as alive, and its pid with another start as dead", () => {
    expect(isDeadOwner(ownerLabel(own))).toBe(false)
    expect(isDeadOwner(ownerLabel({ ...own, startTicks: "1" }))).toBe(true)
  })

  test("knows a process that has ended as dead", () => {
    const child = Bun.spawnSync(["true"])
    expect(isDeadOwner(ownerLabel({ ...own, pid: child.pid }))).toBe(true)
  })

  test("never judges what it cannot see: another boot, another namespace, a label of others", () => {
    expect(isDeadOwner(ownerLabel({ ...own, boot: "other", startTicks: "1" }))).toBe(false)
    expect(isDeadOwner(ownerLabel({ ...own, namespace: "pid:[1]", startTicks: "1" }))).toBe(false)
    for (const label of [undefined, "", "x", "///"]) expect(isDeadOwner(label)).toBe(false)
  })
})

describe("openPanicState", () => {
  test("is seen by another opener until it is cleared", () => {
    const directory = mkdtempSync(join(tmpdir(), "sentinel-state-"))
    openPanicState(directory).set("a test")
    const other = openPanicState(directory)
    expect(other.isOn()).toBe(true)
    other.clear()
    expect(openPanicState(directory).isOn()).toBe(false)
    rmSync(directory, { recursive: true })
  })
})
