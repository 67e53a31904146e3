import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { loadTwin } from "../../src/twins/load-twin.ts"
import { isSimulatedClass } from "../../src/twins/twin-request.ts"

/** What runs inside `startIsolatedTwin`: a request a line, an answer a line. */
const twinClass = Bun.argv[2]
if (!isSimulatedClass(twinClass)) throw new Error("name a class")
const twin = await loadTwin(twinClass)
for await (const line of console) {
  if (line === "") break // the input has ended
  const directory = mkdtempSync(join(tmpdir(), "run-"))
  const answer = await twin.run(JSON.parse(line), directory)
  rmSync(directory, { recursive: true, force: true })
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
