import { expect, test } from "bun:test"
import { resolve } from "node:path"
import { requireService } from "./support/services.ts"

const promtool = await requireService("promtool")

const ROOT = resolve(import.meta.dir, "..")
const HEADER = /^\| *alarm, as PromQL/

/** The expressions of the tables whose first column is called `alarm, as PromQL`. */
async function alarmsOf(page: string): Promise<readonly string[]> {
  const alarms: string[] = []
  let inTable = false
  for (const line of (await Bun.file(`${ROOT}/${page}`).text()).split("\n")) {
    inTable = line.startsWith("|") && (inTable || HEADER.test(line))
    const [, alarm] = /^\| *`([^`]*cerberus_[^`]*)`/.exec(line) ?? []
    // a pipe in a table of Markdown is escaped
    if (inTable && alarm !== undefined) alarms.push(alarm.replaceAll("\\|", "|"))
  }
  return alarms
}

test.skipIf(promtool === undefined).each(["docs/OPERATIONS.md", "docs/SERVING.md"])(
  "promtool parses the alarms of %s",
  async (page) => {
    const alarms = await alarmsOf(page)
    expect(alarms.length).toBeGreaterThan(5)
    const rules = alarms.map((expr, index) => ({ alert: `alarm${index}`, expr }))
    const child = Bun.spawn([promtool?.binary ?? "", "check", "rules", "/dev/stdin"], {
      stdin: new TextEncoder().encode(JSON.stringify({ groups: [{ name: page, rules }] })),
      stdout: "pipe",
      stderr: "pipe",
    })
    const output = await new Response(child.stdout).text()
    const complaints = await new Response(child.stderr).text()
    expect({ exitCode: await child.exited, output, complaints }).toMatchObject({ exitCode: 0 })
  },
)
