import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { chmod, cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import packageDocument from "../../package.json"

const ROOT = resolve(import.meta.dir, "../..")
/** What the launcher needs of a system besides bun or npm. */
const SYSTEM_TOOLS = ["sh", "sed", "cmp", "cat", "uname", "dirname", "readlink"]

let directory: string
let checkout: string
let bin: string

/** A checkout without dependencies, in a path with a space, and a PATH that holds almost nothing. */
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "sentinel-launcher-"))
  checkout = join(directory, "a checkout")
  bin = join(directory, "bin")
  await mkdir(join(checkout, "node_modules"), { recursive: true })
  await mkdir(bin)
  for (const file of ["sentinel", "scripts/find-bun.sh", ".tool-versions", "bun.lock"]) {
    await cp(join(ROOT, file), join(checkout, file))
  }
  for (const tool of SYSTEM_TOOLS) await symlink(Bun.which(tool) ?? tool, join(bin, tool))
})

afterEach(async () => {
  await rm(directory, { recursive: true, force: true })
})

async function launch(args: readonly string[], command = join(checkout, "sentinel")) {
  const child = Bun.spawn([command, ...args], {
    cwd: directory,
    env: { PATH: bin, HOME: directory, LOG: join(directory, "log") },
    stdio: ["ignore", "pipe", "pipe"],
  })
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  return { exitCode: await child.exited, stdout, stderr }
}

/** A `bun` that tells its version and writes down what else it was asked. */
async function fakeBun(version: string, path = join(bin, "bun")): Promise<void> {
  await writeFile(
    path,
    `#!/bin/sh\nif [ "$1" = --version ]; then echo ${version}; else echo "$@" >>"$LOG"; fi\n`,
  )
  await chmod(path, 0o755)
}

async function asked(): Promise<readonly string[]> {
  const text = await Bun.file(join(directory, "log")).text()
  return text.trim().split("\n")
}

const pinned = (await Bun.file(join(ROOT, ".tool-versions")).text()).replace("bun ", "").trim()

describe("sentinel, the launcher", () => {
  test("sentinel pins the bun that runs these tests", () => {
    expect(pinned).toBe(Bun.version)
  })

  test("sentinel says what to install where there is neither bun nor npm", async () => {
    const { exitCode, stdout, stderr } = await launch(["--version"])
    expect(exitCode).toBe(1)
    expect(stdout).toBe("")
    expect(stderr).toBe(
      `sentinel: bun ${pinned} is needed and neither it nor npm is on PATH. ` +
        `Install Node.js (with npm), or bun ${pinned}.\n`,
    )
  })

  test("sentinel passes over a bun of another version for the pinned one in HOME", async () => {
    await fakeBun("0.0.1")
    await mkdir(join(directory, ".bun/bin"), { recursive: true })
    await fakeBun(pinned, join(directory, ".bun/bin/bun"))
    expect((await launch(["models", "a b"])).exitCode).toBe(0)
    expect(await asked()).toEqual([
      "install --frozen-lockfile --ignore-scripts",
      `${join(checkout, "src/main.ts")} models a b`,
    ])
  })

  test("sentinel installs the dependencies again only when the lockfile has changed", async () => {
    await fakeBun(pinned)
    for (let i = 0; i < 2; i++) await launch(["models"])
    const run = `${join(checkout, "src/main.ts")} models`
    const install = "install --frozen-lockfile --ignore-scripts"
    expect(await asked()).toEqual([install, run, run])
    await writeFile(join(checkout, "bun.lock"), "changed")
    await launch(["models"])
    expect(await asked()).toEqual([install, run, run, install, run])
  })

  test("sentinel does not run when the dependencies cannot be installed", async () => {
    const failing = `#!/bin/sh\n[ "$1" = --version ] && echo ${pinned} && exit 0\nexit 7\n`
    await writeFile(join(bin, "bun"), failing)
    await chmod(join(bin, "bun"), 0o755)
    const { exitCode, stderr } = await launch(["models"])
    expect(exitCode).toBe(1)
    expect(stderr).toContain("could not install the dependencies")
  })

  test("sentinel runs through a link from another directory", async () => {
    await symlink(process.execPath, join(bin, "bun"))
    await symlink(join(ROOT, "sentinel"), join(directory, "linked"))
    const { stdout } = await launch(["--version"], join(directory, "linked"))
    expect(stdout).toBe(`${packageDocument.version}\n`)
  })
})
