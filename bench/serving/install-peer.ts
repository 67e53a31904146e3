import { mkdir, rename, rm } from "node:fs/promises"
import { homedir } from "node:os"
import { join, resolve } from "node:path"
import { generatePayloads } from "../../src/ml/generators/payloads.ts"
import { runTool } from "../detection/peer.ts"

const SOURCES = resolve(import.meta.dir, "peers")
const REQUIREMENTS = join(SOURCES, "requirements.txt")
const APP = join(SOURCES, "app.py")
const TRAINING = { seed: 1, count: 20_000 } as const

type Environment = Readonly<Record<string, string | undefined>>

export interface InstallOptions {
  readonly env: Environment
  progress(line: string): void
}

/**
 * Installs FastAPI and scikit-learn into the user's cache and trains the peer's model there.
 * @returns how to serve it: the port is the last argument
 * @throws UnavailableError
 */
export async function installFastApi(options: InstallOptions): Promise<readonly string[]> {
  const { env, progress } = options
  const root = env.SENTINEL_SERVICES_CACHE ?? join(homedir(), ".cache/sentinel-services")
  const cache = join(root, "serving")
  await mkdir(cache, { recursive: true })
  const python = await installPython(cache, options)
  const model = join(cache, `forest-${await digestOf(APP, REQUIREMENTS)}.pickle`)
  if (!(await Bun.file(model).exists())) {
    progress(`training the peer's forest on ${TRAINING.count} rows`)
    const rows = [...generatePayloads(TRAINING)].map(({ text, label }) =>
      JSON.stringify({ text: text.toWellFormed(), label }),
    )
    await Bun.write(`${model}.rows`, rows.join("\n"))
    await runTool([python, APP, "train", `${model}.rows`, `${model}.part`])
    await rm(`${model}.rows`)
    await rename(`${model}.part`, model)
  }
  return [python, APP, "serve", model]
}

async function installPython(cache: string, { progress }: InstallOptions): Promise<string> {
  const directory = join(cache, `python-${await digestOf(REQUIREMENTS)}`)
  const python = join(directory, "bin/python")
  const complete = join(directory, "complete")
  if (await Bun.file(complete).exists()) return python
  progress("installing FastAPI and scikit-learn")
  await runTool(["python3", "-m", "venv", directory])
  await runTool([python, "-m", "pip", "install", "--quiet", "--requirement", REQUIREMENTS])
  await Bun.write(complete, "")
  return python
}

async function digestOf(...files: readonly string[]): Promise<string> {
  const texts = await Promise.all(files.map((file) => Bun.file(file).text()))
  const text = `${JSON.stringify(TRAINING)}\0${texts.join("\0")}`
  return new Bun.CryptoHasher("sha256").update(text).digest("hex").slice(0, 16)
}
