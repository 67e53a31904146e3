import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { effectCheck } from "../../src/ml/adversary/effect.ts"
import { needsBash } from "../../src/ml/adversary/shell-effect.ts"
import { strongestHit } from "../../src/operators/score-exploit.ts"
import type { Works } from "../../src/rules/relatives.ts"
import type { SimulatedClass, Twin, TwinAnswer } from "../../src/twin-protocol.ts"
import { pathTwin } from "../../src/twins/path/path-twin.ts"
import { sqlTwin } from "../../src/twins/sql/sql-twin.ts"

/** Only what is safe beside a bench: paths and SQLite. */
const TWINS: Readonly<Partial<Record<SimulatedClass, Twin>>> = {
  sql_injection: sqlTwin,
  path_traversal: pathTwin,
}
const BUDGET_MS = 3_000

/**
 * Says of rewritings of an exploit whether they still work; undefined where the exploit itself does
 * not. SQL and paths run in the twins, in the template of the proof; scripts and commands, which
 * need a sandbox, are read as a browser and a shell would.
 */
export async function proofOf(label: SimulatedClass, exploit: string): Promise<Works | undefined> {
  const twin = TWINS[label]
  if (twin === undefined) return readerOf(label, exploit)
  const hit = strongestHit(await runTwin(twin, exploit))
  if (hit === undefined) return undefined
  return async (text) => strongestHit(await runTwin(twin, text, [hit.template]))?.kind === hit.kind
}

/** Commands are proven in dash where that runs them, and what only bash reads does nothing there. */
function readerOf(label: SimulatedClass, exploit: string): Works | undefined {
  const check = effectCheck(label, exploit)
  const isOfBash = label !== "command_injection" || needsBash(exploit)
  return check && (async (text) => check(text) && (isOfBash || !needsBash(text)))
}

async function runTwin(
  twin: Twin,
  payload: string,
  templates?: readonly string[],
): Promise<TwinAnswer> {
  const directory = await mkdtemp(join(tmpdir(), "twin-"))
  const canary = Array.from(crypto.getRandomValues(new Uint8Array(16)), hexByte).join("")
  try {
    return await twin.run(
      {
        ...{ id: "bench", class: twin.class, payload, location: "query:q", canary },
        ...(templates && { templates }),
        budgetMs: BUDGET_MS,
      },
      directory,
    )
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

function hexByte(byte: number): string {
  return byte.toString(16).padStart(2, "0")
}
