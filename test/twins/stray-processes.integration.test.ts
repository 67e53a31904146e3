import { afterAll, describe, expect, test } from "bun:test"
import { startIsolatedTwin } from "../support/isolated-twin.ts"

/** Goal: nothing of a payload is there when the next one comes. Method: the program, in a sandbox. */

const TIMEOUT_MS = 60_000
const pages = await startIsolatedTwin("xss", { program: true })
afterAll(() => pages?.close())

/** Runs code outside of the page's browser, as the process of the twin. */
function page(code: string): string {
  const body = `var load=name=>process.getBuiltinModule('node:'+name);return ${code}`
  return `<script>alert(alert.constructor(${JSON.stringify(body)})())</script>`
}

const NAMES = "load('fs').readdirSync('/proc').filter(name=>/^[0-9]+$/.test(name))"
const PROCESSES = `${NAMES}.map(pid=>load('fs').readFileSync('/proc/'+pid+'/comm','utf8').trim())`
const LEAVE =
  "load('child_process').spawn('/opt/canary/shells/dash',['-c','while :; do :; done']," +
  "{detached:true,stdio:'ignore'}).pid"

async function detailsOf(payload: string): Promise<string> {
  const answer = await pages?.run({ payload, templates: ["body"] })
  return JSON.stringify(answer?.attempts.flatMap(({ effects }) => effects))
}

describe.skipIf(pages === undefined)("killAllOthers", () => {
  test(
    "ends what a payload has put into a session of its own",
    async () => {
      // it is another program only once it has been executed
      const started = `(()=>{${LEAVE};for(;;){var all=${PROCESSES};if(all.includes('dash'))return all}})()`
      expect(await detailsOf(page(started))).toContain("dash")
      const after = await detailsOf(page(PROCESSES))
      expect(after).toContain("bun")
      expect(after).not.toContain("dash")
    },
    TIMEOUT_MS,
  )
})
