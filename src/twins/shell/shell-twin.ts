import { mkdirSync } from "node:fs"
import { join } from "node:path"
import {
  TWIN_LIMITS,
  type Twin,
  type TwinAnswer,
  type TwinAttempt,
  type TwinEffectKind,
  type TwinInconclusive,
  type TwinRequest,
} from "../../twin-protocol.ts"
import { isFormEncoded } from "../form-encoding.ts"
import { SHELL_PATHS, type ShellName } from "./recorder-script.ts"
import { sharedFiles, takeSharedFiles } from "./shared-files.ts"
import { type BatchPlace, runBatch } from "./shell-batch.ts"
import { plantShellCanaries, type ShellCanaries } from "./shell-canaries.ts"
import { effect, type ObservedProgram, ranAsWritten, shellEffects } from "./shell-effects.ts"
import { fillTemplate, SHELL_TEMPLATES, type ShellTemplate } from "./shell-templates.ts"
import { isWindowsShell } from "./windows-shell.ts"

const CONTROL_VALUE = "example"
const STRONGEST_FIRST: readonly TwinEffectKind[] = [
  ...(["output_leaked", "command_run", "file_created", "process_spawned"] as const),
]
/** Of the budget, kept back to read what the programs left. */
const READING_MS = 50

/**
 * Runs a payload as part of command lines in dash and bash, with canaries for commands.
 *
 * Only for the inside of a sandbox: it really runs what it is given. It needs the image's shells at
 * `SHELL_PATHS`, so that by mistake on a host it answers `control_failed` and runs nothing.
 */
export const shellTwin: Twin = {
  class: "command_injection",
  templates: SHELL_TEMPLATES.map(({ name }) => name),
  async run(request, workDirectory) {
    if (Buffer.byteLength(request.payload) > TWIN_LIMITS.payloadBytesMax) {
      return answer(request, { tried: 0, attempts: [], control: [], inconclusive: "too_large" })
    }
    return simulate(request, workDirectory)
  },
}

interface Findings {
  readonly tried: number
  readonly attempts: readonly TwinAttempt[]
  readonly control: readonly TwinAttempt[]
  readonly inconclusive?: TwinInconclusive
}

async function simulate(request: TwinRequest, workDirectory: string): Promise<TwinAnswer> {
  const deadlineMs = Date.now() + request.budgetMs - READING_MS
  const canaries = plantShellCanaries(request.canary, join(workDirectory, "root"))
  const chosen = chooseTemplates(request)
  let found: Findings = { tried: 0, attempts: [], control: [] }
  for (const isUrlDecoded of [false, true]) {
    const templates = chosen.filter((template) => template.isUrlDecoded === isUrlDecoded)
    if (templates.length === 0 || found.attempts.length > 0 || found.inconclusive) continue
    const directory = join(workDirectory, isUrlDecoded ? "decoded" : "raw")
    const next = await tryTemplates(request, templates, { directory, canaries, deadlineMs })
    found = { ...next, tried: found.tried + next.tried }
  }
  return answer(request, found)
}

/** Those that decode only where that makes a difference. */
function chooseTemplates({ templates, payload }: TwinRequest): readonly ShellTemplate[] {
  const isEncoded = isFormEncoded(payload)
  return SHELL_TEMPLATES.filter(
    ({ name, isUrlDecoded }) =>
      (templates === undefined || templates.includes(name)) && (isEncoded || !isUrlDecoded),
  )
}

async function tryTemplates(
  { payload }: TwinRequest,
  templates: readonly ShellTemplate[],
  place: BatchPlace,
): Promise<Findings> {
  const before = sharedFiles()
  const runs = await Promise.all(
    (Object.keys(SHELL_PATHS) as ShellName[]).map((shell) => {
      const own = templates.filter((template) => template.shell === shell)
      return runShell({ shell, templates: own, payload }, place)
    }),
  )
  const control = runs.flatMap((run) => run.control)
  const observed = runs.flatMap((run) => run.observed)
  const findings = {
    tried: observed.length,
    control: control.flatMap((program) => attempt(program, place.canaries)),
  }
  if (control.some((program) => !ranAsWritten(program, place.canaries))) {
    return { ...findings, attempts: [], inconclusive: "control_failed" }
  }
  const shared = takeSharedFiles(before, observed)
  const attempts = observed.flatMap((program) =>
    attempt(program, place.canaries, shared.get(program)),
  )
  if (attempts.length > 0 || runs.every((run) => run.isComplete)) return { ...findings, attempts }
  return { ...findings, attempts, inconclusive: "budget_exceeded" }
}

async function runShell(
  work: { shell: ShellName; templates: readonly ShellTemplate[]; payload: string },
  place: BatchPlace,
) {
  const { shell, templates, payload } = work
  const values = [CONTROL_VALUE, payload]
  const programs = values.flatMap((value) =>
    templates.map((template) => fillTemplate(template, value)),
  )
  const directory = join(place.directory, shell)
  mkdirSync(directory, { recursive: true })
  const { trails, isComplete } = await runBatch(shell, programs, { ...place, directory })
  const [control = [], observed = []] = values.map((value, round) =>
    templates.flatMap((template, index): readonly ObservedProgram[] => {
      const trail = trails[round * templates.length + index]
      return trail === undefined ? [] : [{ template, payload: value, trail }]
    }),
  )
  return { control, observed, isComplete }
}

function attempt(
  observed: ObservedProgram,
  canaries: ShellCanaries,
  sharedPaths: readonly string[] = [],
): readonly TwinAttempt[] {
  const effects = [
    ...shellEffects(observed, canaries),
    ...sharedPaths.map((path) => effect("file_created", JSON.stringify(path))),
  ]
  const { template, payload } = observed
  const program = fillTemplate(template, payload).slice(0, TWIN_LIMITS.programCharactersMax)
  return effects.length === 0 ? [] : [{ template: template.name, program, effects }]
}

function answer(request: TwinRequest, { tried, attempts, control, ...rest }: Findings): TwinAnswer {
  const sorted = [...attempts].sort((one, other) => strength(one) - strength(other))
  const isWindows = attempts.length === 0 && isWindowsShell(request.payload)
  const inconclusive = rest.inconclusive ?? (isWindows ? "platform" : undefined)
  return {
    id: request.id,
    class: "command_injection",
    attempts: sorted.slice(0, TWIN_LIMITS.attemptsMax),
    templatesTried: tried,
    controlAttempts: control,
    ...(inconclusive === undefined ? {} : { inconclusive }),
  }
}

function strength({ effects }: TwinAttempt): number {
  return Math.min(...effects.map(({ kind }) => STRONGEST_FIRST.indexOf(kind)))
}
