import { expect, test } from "bun:test"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { TwinRequest } from "../../../src/twin-protocol.ts"
import { SHELL_PATHS } from "../../../src/twins/shell/recorder-script.ts"
import { shellTwin } from "../../../src/twins/shell/shell-twin.ts"

const REQUEST: Omit<TwinRequest, "payload"> = {
  id: "1",
  class: "command_injection",
  location: "query:q",
  canary: "00112233445566778899aabbccddeeff",
  budgetMs: 1_000,
}

test.skipIf(existsSync(SHELL_PATHS.dash))(
  "shellTwin runs nothing outside of its image",
  async () => {
    const directory = mkdtempSync(join(tmpdir(), "sentinel-shell-twin-"))
    const answer = await shellTwin.run({ ...REQUEST, payload: "; id" }, directory)
    rmSync(directory, { recursive: true })
    expect(answer).toMatchObject({ attempts: [], inconclusive: "control_failed" })
  },
)

test("shellTwin refuses a payload that is too large", async () => {
  const payload = "é".repeat(8_193)
  const answer = await shellTwin.run({ ...REQUEST, payload }, tmpdir())
  expect(answer).toMatchObject({ templatesTried: 0, inconclusive: "too_large" })
})
