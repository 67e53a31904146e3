import { randomUUID } from "node:crypto"
import { buildSandboxImage } from "../../src/compose/sandbox.ts"
import { readConfig } from "../../src/config.ts"
import type { Sandbox } from "../../src/ports/sandbox.ts"
import { createSandbox } from "../../src/sandbox/open-sandbox.ts"
import type { SimulatedClass } from "../../src/twin-protocol.ts"
import { countMounts } from "./left-behind.ts"

export type BenchDriver = "docker" | "bubblewrap"

export interface BenchSandbox {
  readonly driver: BenchDriver
  readonly sandbox: Sandbox
  readonly stateDirectory: string
  readonly dockerHost: string | undefined
  /** Mounts of this machine before the sandbox was opened. */
  readonly mountsBefore: number
}

const BUDGET_MS = 15_000

/** A sandbox with its image at hand, so that the first answer is cold and the image is not. */
export async function openBenchSandbox(options: {
  readonly driver: BenchDriver
  readonly stateDirectory: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly busyMax: number
}): Promise<BenchSandbox> {
  const { driver, stateDirectory, env, busyMax } = options
  const config = readConfig({ ...env, SENTINEL_SANDBOX: driver }).sandbox
  const { dockerHost } = config
  await buildSandboxImage(config, () => undefined)
  const mountsBefore = countMounts()
  const sandbox = createSandbox({
    ...{ mode: driver, dockerHost, stateDirectory, timeoutMsMax: config.timeoutMs },
    image: () => buildSandboxImage(config, () => undefined),
    audit: () => Promise.resolve(),
    ...{ busyMax, warmMax: 2 },
    onError: () => undefined,
  })
  await sandbox.ready()
  return { driver, sandbox, stateDirectory, dockerHost, mountsBefore }
}

const STRINGS: Readonly<Record<SimulatedClass, string>> = {
  sql_injection: "sql",
  xss: "xss",
  command_injection: "command",
  path_traversal: "path",
}

/** The attacks and the harmless texts of the detection table, mixed. */
export async function payloadsOf(twinClass: SimulatedClass): Promise<readonly string[]> {
  const file = new URL(`../../test/twins/strings/${STRINGS[twinClass]}.json`, import.meta.url)
  const rows: readonly { value: string; kind: string }[] = await Bun.file(file).json()
  const attacks = rows.filter(({ kind }) => kind === "attack")
  const harmless = rows.filter(({ kind }) => kind !== "attack")
  return attacks.flatMap(({ value }, index) => [value, harmless[index]?.value ?? value])
}

/** @returns milliseconds until the answer @throws Error where there was none */
export async function simulate(
  sandbox: Sandbox,
  twinClass: SimulatedClass,
  payload: string,
): Promise<number> {
  const began = performance.now()
  const canary = randomUUID().replaceAll("-", "")
  const request = { id: canary, class: twinClass, payload, location: "query:q", canary }
  const { answer } = await sandbox.run({ ...request, budgetMs: BUDGET_MS }, { timeoutMs: 60_000 })
  if (answer === undefined) throw new Error(`no answer of the twin for ${twinClass}`)
  return performance.now() - began
}
