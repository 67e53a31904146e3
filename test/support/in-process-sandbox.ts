import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Sandbox } from "../../src/ports/sandbox.ts"
import type { SimulatedClass, Twin } from "../../src/twin-protocol.ts"
import { pathTwin } from "../../src/twins/path/path-twin.ts"
import { sqlTwin } from "../../src/twins/sql/sql-twin.ts"
import { CALM, DESCRIPTION } from "./fake-sandbox.ts"

/** Only what is safe beside a test: paths and SQLite; never commands or a page. */
const TWINS: Readonly<Partial<Record<SimulatedClass, Twin>>> = {
  sql_injection: sqlTwin,
  path_traversal: pathTwin,
}

/** The real twins without isolation, for payloads that the test itself wrote. */
export const inProcessSandbox: Pick<Sandbox, "run" | "describe"> = {
  describe: () => DESCRIPTION,
  async run(request) {
    const directory = await mkdtemp(join(tmpdir(), "twin-"))
    try {
      const began = performance.now()
      const answer = await TWINS[request.class]?.run(request, directory)
      const outside = { ...CALM, wallMs: performance.now() - began }
      return { answer, outside, sandbox: DESCRIPTION }
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  },
}
