import { mkdir, rename, rm } from "node:fs/promises"
import { homedir } from "node:os"
import { join, resolve } from "node:path"
import type { LabelledPayload } from "../../src/ml/evaluation/labelled-payloads.ts"
import { type MissingPeer, type Peer, runTool } from "./peer.ts"

const SOURCES = resolve(import.meta.dir, "peers")
const NATIVE_APPSEC = "@datadog/native-appsec@11.0.3"
/** Published with the tracer, not with the library. */
const RULES = {
  package: "dd-trace@6.21.0",
  path: "package/packages/dd-trace/src/appsec/recommended.json",
}
const SCIKIT_LEARN = "scikit-learn==1.9.1"

type Environment = Readonly<Record<string, string | undefined>>

export interface InstallOptions {
  readonly env: Environment
  /** What the peers that learn are trained on. */
  readonly training: readonly LabelledPayload[]
  progress(line: string): void
}

/** Where everything is kept that was built or downloaded; the user's cache unless told. */
export function peerCache(env: Environment): string {
  const root = env.SENTINEL_SERVICES_CACHE ?? join(homedir(), ".cache/sentinel-services")
  return join(root, "detection")
}

/** Builds and downloads what is not in the cache yet; nothing outside of it is changed. */
export async function installPeers(
  options: InstallOptions,
): Promise<readonly (Peer | MissingPeer)[]> {
  const cache = peerCache(options.env)
  await mkdir(cache, { recursive: true })
  return [
    ...(await wafPeers(cache, options)),
    await attempt("libddwaf", () => libddwaf(cache, options)),
    await attempt("tf-idf + random forest", () => tfIdf("forest", cache, options)),
    await attempt("tf-idf + logistic regression", () => tfIdf("logistic", cache, options)),
  ]
}

async function attempt(
  name: string,
  install: () => Promise<readonly string[]>,
): Promise<Peer | MissingPeer> {
  try {
    return { name, command: await install() }
  } catch (error) {
    return { name, reason: reasonOf(error) }
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown"
  return typeof error.cause === "string" ? error.cause : error.message
}

/** Coraza at three paranoia levels, and libinjection, in one Go program. */
async function wafPeers(
  cache: string,
  options: InstallOptions,
): Promise<readonly (Peer | MissingPeer)[]> {
  const program = attempt("waf", () => buildWaf(cache, options))
  const variants: readonly (readonly [string, readonly string[]])[] = [
    ...[1, 2, 4].map((level) => [`coraza + crs 4, pl${level}`, ["-paranoia", `${level}`]] as const),
    ["libinjection", ["-engine", "libinjection"]],
  ]
  const built = await program
  return variants.map(([name, args]) =>
    "reason" in built ? { ...built, name } : { name, command: [...built.command, ...args] },
  )
}

async function buildWaf(cache: string, { progress }: InstallOptions): Promise<readonly string[]> {
  const source = join(SOURCES, "waf")
  const program = join(cache, `waf-${await digestOfFiles(source, "*.{go,mod,sum}")}`)
  if (await Bun.file(program).exists()) return [program]
  progress("building Coraza (a few minutes the first time)")
  await runTool(["go", "build", "-trimpath", "-o", `${program}.part`, "."], { cwd: source })
  await rename(`${program}.part`, program)
  return [program]
}

async function libddwaf(cache: string, { progress }: InstallOptions): Promise<readonly string[]> {
  const directory = join(cache, `libddwaf-${digest(`${NATIVE_APPSEC} ${RULES.package}`)}`)
  if (!(await Bun.file(join(directory, "recommended.json")).exists())) {
    progress(`installing ${NATIVE_APPSEC}`)
    await installLibddwaf(directory)
  }
  return ["node", join(SOURCES, "libddwaf.mjs"), directory]
}

/** The rules come last: a directory that has them is complete. */
async function installLibddwaf(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true })
  await mkdir(directory, { recursive: true })
  const quiet = ["--silent", "--no-audit", "--no-fund", "--ignore-scripts"]
  await runTool(["npm", "install", ...quiet, "--prefix", directory, NATIVE_APPSEC])
  const packed = await runTool(["npm", "pack", "--silent", RULES.package], { cwd: directory })
  const archive = packed.trim().split("\n").at(-1) ?? ""
  const rules = await runTool(["tar", "-xzOf", archive, RULES.path], { cwd: directory })
  await rm(join(directory, archive))
  await Bun.write(join(directory, "recommended.json"), rules)
}

async function tfIdf(
  model: "forest" | "logistic",
  cache: string,
  { training, progress }: InstallOptions,
): Promise<readonly string[]> {
  const python = await scikitLearn(cache, progress)
  const script = join(SOURCES, "tf_idf.py")
  const rows = training
    .map(({ text, label }) => `${JSON.stringify({ text: text.toWellFormed(), label })}\n`)
    .join("")
  const version = digest(`${SCIKIT_LEARN} ${await Bun.file(script).text()} ${rows}`)
  const file = join(cache, `tf-idf-${model}-${version}.pickle`)
  if (!(await Bun.file(file).exists())) {
    progress(`training tf-idf + ${model} on ${training.length} rows`)
    const rowsFile = `${file}.rows`
    await Bun.write(rowsFile, rows)
    await runTool([python, script, "train", model, rowsFile, `${file}.part`])
    await rm(rowsFile)
    await rename(`${file}.part`, file)
  }
  return [python, script, "judge", file]
}

async function scikitLearn(cache: string, progress: (line: string) => void): Promise<string> {
  const directory = join(cache, `python-${digest(SCIKIT_LEARN)}`)
  const python = join(directory, "bin/python")
  const complete = join(directory, "complete")
  if (await Bun.file(complete).exists()) return python
  progress(`installing ${SCIKIT_LEARN}`)
  await runTool(["python3", "-m", "venv", directory])
  await runTool([python, "-m", "pip", "install", "--quiet", SCIKIT_LEARN])
  await Bun.write(complete, "")
  return python
}

async function digestOfFiles(directory: string, pattern: string): Promise<string> {
  const names = await Array.fromAsync(new Bun.Glob(pattern).scan(directory))
  const texts = names.sort().map((name) => Bun.file(join(directory, name)).text())
  return digest((await Promise.all(texts)).join("\0"))
}

function digest(text: string): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("hex").slice(0, 16)
}
