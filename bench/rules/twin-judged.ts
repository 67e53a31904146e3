import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { askTwin } from "../../src/operators/ask-twin.ts"
import { worksAs } from "../../src/operators/generate-rules.ts"
import { strongestHit } from "../../src/operators/score-exploit.ts"
import type { Sandbox } from "../../src/ports/sandbox.ts"
import { destroyInstance } from "../../src/sandbox/destroy-instance.ts"
import { openBenchSandbox } from "../sandbox/simulate.ts"
import type { Exploit } from "./exploits.ts"

/** What the real twins say of relatives that were only read before. */
export interface TwinJudged {
  /** Exploits of the sample that the twin proves. */
  readonly exploits: number
  readonly asked: number
  /** Relatives that work in the twin. */
  readonly confirmed: number
  /** Of those, the ones that the rule matches. */
  readonly matched: number
}

const LOCATION = "query:q"
const BUSY_MAX = 2

/** Opens a sandbox of bubblewrap for as long as `use` takes. */
export async function withTwins<T>(
  env: Readonly<Record<string, string | undefined>>,
  use: (sandbox: Sandbox) => Promise<T>,
): Promise<T> {
  const stateDirectory = await mkdtemp(join(tmpdir(), "rules-"))
  const driver = "bubblewrap"
  const own = await openBenchSandbox({ driver, stateDirectory, env, busyMax: BUSY_MAX })
  try {
    return await use(own.sandbox)
  } finally {
    await own.sandbox.close()
    await destroyInstance(stateDirectory)
    await rm(stateDirectory, { recursive: true, force: true })
  }
}

/** Runs an exploit and the relatives that measured its rule, in the template of its proof. */
export async function judgeByTwin(
  { class: label, payload }: Exploit,
  { relatives, blocks }: { relatives: readonly string[]; blocks: (text: string) => boolean },
  sandbox: Sandbox,
): Promise<TwinJudged> {
  const { signal } = new AbortController()
  const subject = { class: label, location: LOCATION }
  const { run } = await askTwin(sandbox, { ...subject, payload }, signal)
  const hit = run.answer && strongestHit(run.answer)
  if (hit === undefined) return { exploits: 0, asked: 0, confirmed: 0, matched: 0 }
  const works = worksAs({ template: hit.template, effect: hit.kind }, subject, { sandbox, signal })
  const working: string[] = []
  for (const relative of relatives) if (await works(relative)) working.push(relative)
  const matched = working.filter(blocks).length
  return { exploits: 1, asked: relatives.length, confirmed: working.length, matched }
}
