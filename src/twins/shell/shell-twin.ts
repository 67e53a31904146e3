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
import { fillTemplate, SHELL_TEMPLATES, type ShellTemplate, valueIn } from "./shell-templates.ts"
import { isWindowsShell } from "./windows-shell.ts"

const CONTROL_VALUE = "example"
const STRONGEST_FIRST: readonly TwinEffectKind[] = [
  ...(["output_leaked", "command_run", "file_created", "process_spawned"] as const),
]
/** Of the budget, for the payload; the rest is for the control where it had an effect. */
const PAYLOAD_SHARE = 0.75

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

/** Group by group, cheapest first, until one has an effect: the others could only repeat it. */
async function simulate(request: TwinRequest, workDirectory: string): Promise<TwinAnswer> {
  const deadlineMs = Date.now() + request.budgetMs
  const canaries = plantShellCanaries(request.canary, join(workDirectory, "root"))
  let found: Findings = { tried: 0, attempts: [], control: [] }
  for (const [index, templates] of groupTemplates(request).entries()) {
    if (found.attempts.length > 0 || found.inconclusive !== undefined) break
    const directory = join(workDirectory, `group-${index}`)
    const next = await tryTemplates(request, templates, { directory, canaries, deadlineMs })
    found = { ...next, tried: found.tried + next.tried }
  }
  return answer(request, found)
}

/** By shell; those that decode only where that makes a difference. */
function groupTemplates({
  templates,
  payload,
}: TwinRequest): readonly (readonly ShellTemplate[])[] {
  const chosen = SHELL_TEMPLATES.filter(({ name }) => templates?.includes(name) ?? true)
  return (isFormEncoded(payload) ? [false, true] : [false]).flatMap((isUrlDecoded) =>
    (Object.keys(SHELL_PATHS) as ShellName[]).map((shell) =>
      chosen.filter((one) => one.shell === shell && one.isUrlDecoded === isUrlDecoded),
    ),
  )
}

/** The control runs in the first template in any case, then in all where the payload had an effect. */
async function tryTemplates(
  { payload }: TwinRequest,
  templates: readonly ShellTemplate[],
  place: BatchPlace,
): Promise<Findings> {
  const tried = templates.length
  const open = templates.filter((one) => one.leaves.test(valueIn(one, payload)))
  const [first] = open
  if (first === undefined) return { tried, attempts: [], control: [] }
  const payloadDeadlineMs = Date.now() + PAYLOAD_SHARE * (place.deadlineMs - Date.now())
  const before = sharedFiles()
  const { programs, isComplete } = await runPrograms(
    [
      { template: first, payload: CONTROL_VALUE },
      ...open.map((template) => ({ template, payload })),
    ],
    { ...place, directory: join(place.directory, "payload"), deadlineMs: payloadDeadlineMs },
  )
  const shared = takeSharedFiles(before, programs)
  const { canaries } = place
  const hits = programs.slice(1).flatMap((program) => {
    return attempt(program, canaries, shared.get(program)).map((found) => ({ program, found }))
  })
  const again = await runPrograms(
    hits.map(({ program: { template } }) => ({ template, payload: CONTROL_VALUE })),
    { ...place, directory: join(place.directory, "control") },
  )
  const controls = [...programs.slice(0, 1), ...again.programs]
  const control = controls.flatMap((program) => attempt(program, canaries))
  if (!controls.every((program) => ranAsWritten(program, canaries))) {
    return { tried, attempts: [], control, inconclusive: "control_failed" }
  }
  const attempts = hits.map(({ found }) => found)
  const isCut = attempts.length === 0 && !isComplete
  return { tried, attempts, control, ...(isCut ? { inconclusive: "budget_exceeded" } : {}) }
}

/** Programs of one shell, in one batch. */
async function runPrograms(
  wanted: readonly Omit<ObservedProgram, "trail">[],
  place: BatchPlace,
): Promise<{ readonly programs: readonly ObservedProgram[]; readonly isComplete: boolean }> {
  const shell = wanted[0]?.template.shell
  if (shell === undefined) return { programs: [], isComplete: true }
  const lines = wanted.map(({ template, payload }) => fillTemplate(template, payload))
  const { trails, isComplete } = await runBatch(shell, lines, place)
  const programs = wanted.flatMap((program, index) => {
    const trail = trails[index]
    return trail === undefined ? [] : [{ ...program, trail }]
  })
  return { programs, isComplete }
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
