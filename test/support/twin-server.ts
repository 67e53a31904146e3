import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Twin } from "../../src/twin-protocol.ts"

/** What runs inside `startIsolatedTwin`: a request a line, an answer a line. */
async function loadTwin(twinClass: string | undefined): Promise<Twin> {
  if (twinClass === "command_injection") {
    return (await import("../../src/twins/shell/shell-twin.ts")).shellTwin
  }
  return (await import("../../src/twins/dom/dom-twin.ts")).domTwin
}

const twin = await loadTwin(Bun.argv[2])
for await (const line of console) {
  const directory = mkdtempSync(join(tmpdir(), "run-"))
  const answer = await twin.run(JSON.parse(line), directory)
  rmSync(directory, { recursive: true, force: true })
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
