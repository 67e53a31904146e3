import { afterAll, describe, expect, test } from "bun:test"
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { buildImage } from "../../../src/sandbox/image/build-image.ts"
import { imageEntries } from "../../../src/sandbox/image/image-entries.ts"

const directory = mkdtempSync(join(tmpdir(), "sentinel-image-"))
const source = join(directory, "twin.ts")
writeFileSync(source, 'process.stdout.write("ready\\n")\n')

const contents = {
  ...{ twinSource: source, sources: [source] },
  files: [{ path: "/usr/bin/id", mode: 0o555, content: "#!/opt/canary/shells/dash\n" }],
  init: "/usr/bin/dash",
  programs: { "/opt/canary/shells/dash": "/usr/bin/dash" },
}

describe("buildImage", () => {
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  test("makes the same digest of the same inputs, in whatever directory", async () => {
    const first = await buildImage(contents, { cacheDirectory: join(directory, "one") })
    const second = await buildImage(contents, { cacheDirectory: join(directory, "two") })
    expect(first.digest).toMatch(/^sha256:[0-9a-f]{64}$/)
    expect(second.digest).toBe(first.digest)
    expect(statSync(join(first.rootDirectory, "opt/sentinel/twin")).mode & 0o777).toBe(0o111)
    expect(statSync(join(first.rootDirectory, "tmp")).mode & 0o7777).toBe(0o1777)
  }, 60_000)

  test("builds once for the same inputs, and anew for others", async () => {
    const options = { cacheDirectory: join(directory, "one") }
    const lines: string[] = []
    const progress = (line: string) => void lines.push(line)
    const known = await buildImage(contents, { ...options, progress })
    expect(lines).toEqual([])
    const files = [{ path: "/usr/bin/id", mode: 0o555, content: "#!/opt/canary/shells/dash\n:\n" }]
    const other = await buildImage({ ...contents, files }, { ...options, progress })
    expect(lines).toEqual(["compiling the twins", "packing the image"])
    expect(other.digest).not.toBe(known.digest)
  }, 60_000)
})

describe("imageEntries", () => {
  test("has parents before children, nothing twice and nothing setuid", () => {
    const parts = { twin: "/twin", libraries: new Map([["/lib64/ld.so", "/x"]]) }
    const entries = imageEntries(contents, parts)
    const paths = entries.map(({ path }) => path)
    expect(new Set(paths).size).toBe(paths.length)
    for (const path of paths) {
      const parent = path.slice(0, path.lastIndexOf("/"))
      if (parent !== "") expect(paths.indexOf(parent)).toBeLessThan(paths.indexOf(path))
    }
    expect(entries.filter(({ kind, mode }) => kind === "file" && (mode & 0o6022) !== 0)).toEqual([])
  })
})
