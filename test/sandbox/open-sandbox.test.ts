import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { SandboxUnavailableError } from "../../src/errors.ts"
import { createSandbox, type PreparedSandbox } from "../../src/sandbox/open-sandbox.ts"
import type { TwinRequest } from "../../src/twin-protocol.ts"

const REQUEST: TwinRequest = {
  ...{ id: "1", class: "path_traversal", payload: "x", location: "query:q", budgetMs: 1_000 },
  canary: "0".repeat(32),
}

describe("createSandbox without a driver that works", () => {
  let stateDirectory: string
  let sandbox: PreparedSandbox
  let elapsedMs = 0
  let looks = 0
  let told: unknown[] = []

  beforeEach(async () => {
    stateDirectory = mkdtempSync(join(tmpdir(), "sentinel-sandbox-"))
    ;[elapsedMs, looks, told] = [0, 0, []]
    sandbox = createSandbox({
      ...{ mode: "bubblewrap", dockerHost: undefined, stateDirectory },
      ...{ busyMax: 1, warmMax: 1, timeoutMsMax: 1_000 },
      image() {
        looks++
        return Promise.reject(new SandboxUnavailableError("there is no image"))
      },
      audit: () => Promise.resolve(),
      onError: (error) => told.push(error),
      elapsedMs: () => elapsedMs,
    })
    await sandbox.ready()
  })

  afterEach(async () => {
    await sandbox.close()
    rmSync(stateDirectory, { recursive: true, force: true })
  })

  const refusedRun = async () => {
    const run = sandbox.run(REQUEST, { timeoutMs: 1_000 })
    await expect(run).rejects.toThrow(SandboxUnavailableError)
    await sandbox.ready()
  }

  test("run is refused with the reason, and looks for a driver again after 30 s, not before", async () => {
    elapsedMs = 29_000
    await refusedRun()
    expect(looks).toBe(1)
    elapsedMs = 31_000
    await refusedRun()
    expect(looks).toBe(2)
    expect(sandbox.describe().notes.join()).toContain("there is no image")
    expect(told.map(String)).toEqual([expect.stringContaining("there is no image")])
  })

  test("describe looks for a driver again too: a queue that waits for one runs nothing", async () => {
    elapsedMs = 31_000
    expect(sandbox.describe().driver).toBe("none")
    await sandbox.ready()
    expect(looks).toBe(2)
  })
})
