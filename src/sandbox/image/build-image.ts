import { createReadStream } from "node:fs"
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { SandboxUnavailableError, systemErrorCode } from "../../errors.ts"
import { imageEntries } from "./image-entries.ts"
import type { ImageContents, ImageEntry } from "./image-entry.ts"
import { layOut, pack, seal } from "./pack-image.ts"
import { sharedLibraries } from "./shared-libraries.ts"

/** Raised when the way of packing changes, so that no older build is taken for a new one. */
const FORMAT = 4
const UNUSED_MS_MAX = 24 * 3_600_000
const COMPILE_TIMEOUT_MS = 300_000
const COMPLAINT_CHARACTERS_MAX = 2_000

export interface SandboxImage {
  /** `sha256:<hex>` of the tar, which Docker computes too: `RootFS.Layers` of the image. */
  readonly digest: string
  readonly tarFile: string
  /** The same, unpacked. */
  readonly rootDirectory: string
  readonly contents: readonly ImageMember[]
}

export interface ImageMember {
  readonly path: string
  /** Octal, e.g. `0755`. */
  readonly mode: string
  /** 0 for a directory. */
  readonly bytes: number
}

export interface BuildOptions {
  /** Where builds are kept, by the digest of what they are made of. */
  readonly cacheDirectory: string
  readonly progress?: (line: string) => void
}

/**
 * The image of the sandbox: from the cache, or built from this machine's own programs. It needs no
 * registry and no network, and the same inputs give the same digest.
 * @throws SandboxUnavailableError where this machine cannot build it
 */
export async function buildImage(
  contents: ImageContents,
  options: BuildOptions,
): Promise<SandboxImage> {
  if (process.platform !== "linux") {
    throw new SandboxUnavailableError("the image is made of Linux programs, and this is no Linux")
  }
  const libraries = await librariesOf([
    process.execPath,
    contents.init,
    ...Object.values(contents.programs),
  ])
  const directory = join(options.cacheDirectory, await inputsDigest(contents, libraries))
  const known = await readBuild(directory)
  if (known !== undefined) {
    await markUsed(directory)
    return known
  }
  await removeUnused(options.cacheDirectory)
  await build(contents, { ...options, directory, libraries })
  const built = await readBuild(directory)
  if (built === undefined) throw new SandboxUnavailableError("the image was built but is not there")
  return built
}

async function librariesOf(programs: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const found = await Promise.all(programs.map((program) => sharedLibraries(program)))
  return new Map(found.flatMap((libraries) => [...libraries]))
}

/** 32 hex digits over everything that the image is made of. */
async function inputsDigest(
  contents: ImageContents,
  libraries: ReadonlyMap<string, string>,
): Promise<string> {
  const hash = new Bun.CryptoHasher("sha256")
  hash.update(JSON.stringify([FORMAT, Bun.version, process.arch, contents.files]))
  const sources = (await Promise.all(contents.sources.map(filesUnder))).flat().sort()
  const { init, programs } = contents
  const binaries = [["init", init] as const, ...libraries, ...Object.entries(programs)]
  for (const [name, file] of [...sources.map((path) => [path, path] as const), ...binaries]) {
    hash.update(`\0${name}\0`).update(await readFile(file))
  }
  return hash.digest("hex").slice(0, 32)
}

async function filesUnder(path: string): Promise<readonly string[]> {
  if (!(await stat(path)).isDirectory()) return [path]
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

interface Build extends BuildOptions {
  readonly directory: string
  readonly libraries: ReadonlyMap<string, string>
}

/** Builds beside its place and moves there when all is done: half a build is never found. */
async function build(contents: ImageContents, options: Build): Promise<void> {
  const work = `${options.directory}.${process.pid}`
  const progress = options.progress ?? (() => undefined)
  await rm(work, { recursive: true, force: true })
  await mkdir(work, { recursive: true, mode: 0o700 })
  try {
    progress("compiling the twins")
    const twin = join(work, "twin")
    await compile(contents.twinSource, twin)
    progress("packing the image")
    const entries = imageEntries(contents, { twin, libraries: options.libraries })
    await finish(entries, work)
    await rm(twin)
    await rename(work, options.directory).catch(ignoreExisting)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function finish(entries: readonly ImageEntry[], work: string): Promise<void> {
  const root = join(work, "root")
  const tarFile = join(work, "image.tar")
  await layOut(entries, root)
  await pack(entries, root, tarFile)
  const contents = await Promise.all(entries.map((entry) => describeMember(entry, root)))
  await seal(entries, root)
  const digest = `sha256:${await sha256OfFile(tarFile)}`
  await writeFile(join(work, "image.json"), JSON.stringify({ digest, contents }))
}

async function describeMember(entry: ImageEntry, root: string): Promise<ImageMember> {
  const bytes = entry.kind === "file" ? (await stat(join(root, entry.path))).size : 0
  return { path: entry.path, mode: entry.mode.toString(8).padStart(4, "0"), bytes }
}

/** Another process built the same at the same time: its build is as good. */
function ignoreExisting(error: unknown): void {
  const code = systemErrorCode(error)
  if (code !== "ENOTEMPTY" && code !== "EEXIST") throw error
}

/** With its bytecode, in parts: each run is a fresh process, and pays for what it loads. */
async function compile(source: string, outfile: string): Promise<void> {
  const options = ["--compile", "--bytecode", "--splitting", "--format=esm", "--outfile", outfile]
  const child = Bun.spawn([process.execPath, "build", source, ...options], {
    ...{ stdin: "ignore", stdout: "ignore", stderr: "pipe" },
    timeout: COMPILE_TIMEOUT_MS,
  })
  const complaint = (await new Response(child.stderr).text()).slice(0, COMPLAINT_CHARACTERS_MAX)
  if ((await child.exited) !== 0) {
    throw new SandboxUnavailableError("the twins do not compile", new Error(complaint))
  }
}

async function sha256OfFile(path: string): Promise<string> {
  const hash = new Bun.CryptoHasher("sha256")
  for await (const chunk of createReadStream(path)) hash.update(chunk)
  return hash.digest("hex")
}

async function markUsed(directory: string): Promise<void> {
  const now = new Date()
  await utimes(directory, now, now).catch(() => undefined) // somebody else's cache: it only ages
}

/** Builds that nobody asked for in a day: each is as large as the programs in it, twice. */
async function removeUnused(cacheDirectory: string): Promise<void> {
  for (const name of await readdir(cacheDirectory).catch(() => [])) {
    const directory = join(cacheDirectory, name)
    const { mtimeMs } = await stat(directory)
    if (Date.now() - mtimeMs < UNUSED_MS_MAX) continue
    await rm(directory, { recursive: true, force: true })
  }
}

async function readBuild(directory: string): Promise<SandboxImage | undefined> {
  try {
    const { digest, contents } = JSON.parse(await readFile(join(directory, "image.json"), "utf8"))
    const tarFile = join(directory, "image.tar")
    return { digest, contents, tarFile, rootDirectory: join(directory, "root") }
  } catch {
    return undefined
  }
}
