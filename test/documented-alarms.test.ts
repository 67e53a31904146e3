import { expect, test } from "bun:test"
import { resolve } from "node:path"

const ROOT = resolve(import.meta.dir, "..")
const PAGES = ["docs/SERVING.md", "docs/OPERATIONS.md"] as const
/** What prom-client adds to the name of a histogram. */
const SUFFIX = /_(?:bucket|count|sum)$/

async function exposedNames(): Promise<ReadonlySet<string>> {
  const names = new Set<string>()
  for await (const path of new Bun.Glob("src/**/*.ts").scan(ROOT)) {
    const text = await Bun.file(`${ROOT}/${path}`).text()
    for (const [, name] of text.matchAll(/"(cerberus_\w+)"/g)) names.add(name ?? "")
  }
  return names
}

test.each(PAGES)("%s names only metrics that telemetry exposes", async (page) => {
  const exposed = await exposedNames()
  const text = await Bun.file(`${ROOT}/${page}`).text()
  const named = [...new Set(text.match(/\bcerberus_\w+/g))]
  expect(named.length).toBeGreaterThan(0)
  const unknown = named.filter(
    (name) => !exposed.has(name) && !exposed.has(name.replace(SUFFIX, "")),
  )
  expect(unknown).toEqual([])
})
