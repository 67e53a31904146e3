import { join } from "node:path"
import {
  type ReportAttempt,
  TWIN_LIMITS,
  type TwinAttempt,
  type TwinEffect,
  type TwinRequest,
} from "../../twin-protocol.ts"
import { defineTwin, type Findings } from "../define-twin.ts"
import { isFormEncoded } from "../form-encoding.ts"
import { SHELL_PATHS, type ShellName } from "./recorder-script.ts"
import { sharedFiles, takeSharedFiles } from "./shared-files.ts"
import { type BatchOutcome, type BatchPlace, runBatch } from "./shell-batch.ts"
import { plantShellCanaries, type ShellCanaries } from "./shell-canaries.ts"
import {
  effect,
  type ObservedProgram,
  ranAsWritten,
  shellEffects,
  silencedEffects,
} from "./shell-effects.ts"
import { fillTemplate, SHELL_TEMPLATES, type ShellTemplate, valueIn } from "./shell-templates.ts"
import { isWindowsShell } from "./windows-shell.ts"

const CONTROL_VALUE = "example"
/** Of the budget: the rest is for a machine that is busy. */
const OWN_SHARE = 0.8
/** Of that, for the payload; the rest is for the control where it had an effect. */
const PAYLOAD_SHARE = 0.75

/**
 * Runs a payload as part of command lines in dash and bash, with canaries for commands.
 *
 * Only for the inside of a sandbox: it really runs what it is given. It needs the image's shells at
 * `SHELL_PATHS`, so that by mistake on a host it answers `control_failed` and runs nothing.
 */
export const shellTwin = defineTwin({
  class: "command_injection",
  effects: ["output_leaked", "command_run", "file_created", "process_spawned"],
  templates: SHELL_TEMPLATES.map(({ name }) => name),
  simulate,
})

/** Group by group, cheapest first, until one has an effect: the others could only repeat it. */
async function simulate(
  request: TwinRequest,
  workDirectory: string,
  report: ReportAttempt | undefined,
): Promise<Findings> {
  const deadlineMs = Date.now() + OWN_SHARE * request.budgetMs
  const canaries = plantShellCanaries(request.canary, join(workDirectory, "root"))
  let found: Findings = { tried: 0, attempts: [], control: [] }
  for (const [index, templates] of groupTemplates(request).entries()) {
    if (found.attempts.length > 0 || found.inconclusive !== undefined) break
    const directory = join(workDirectory, `group-${index}`)
    const place = { directory, canaries, deadlineMs, report }
    const next = await tryTemplates(request, templates, place)
    found = { ...next, tried: found.tried + next.tried }
  }
  if (found.attempts.length > 0 || !isWindowsShell(request.payload)) return found
  return { inconclusive: "platform", ...found }
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

interface Trial extends BatchPlace {
  readonly report: ReportAttempt | undefined
}

interface Hit {
  readonly program: ObservedProgram
  readonly found: TwinAttempt
}

/** The control runs in the first template in any case, then in all where the payload had an effect. */
async function tryTemplates(
  { payload }: TwinRequest,
  templates: readonly ShellTemplate[],
  trial: Trial,
): Promise<Findings> {
  const tried = templates.length
  const open = templates.filter((one) => one.leaves.test(valueIn(one, payload)))
  const [first] = open
  if (first === undefined) return { tried, attempts: [], control: [] }
  const { control, hits, isComplete } = await runPayload(payload, open, trial)
  if (!isClean(control, trial)) return controlFailed(tried, control, trial)
  for (const { found } of hits) trial.report?.(found)()
  const again = await runPrograms(
    hits.map(({ program: { template } }) => ({ template, payload: CONTROL_VALUE })),
    { ...trial, directory: join(trial.directory, "control") },
  )
  if (!isClean(again.programs, trial)) return controlFailed(tried, again.programs, trial)
  const attempts = hits.map(({ found }) => found)
  const isCut = attempts.length === 0 && !isComplete
  return { tried, attempts, control: [], ...(isCut && { inconclusive: "budget_exceeded" }) }
}

function isClean(controls: readonly ObservedProgram[], { canaries }: Trial): boolean {
  return controls.every((program) => ranAsWritten(program, canaries))
}

function controlFailed(
  tried: number,
  controls: readonly ObservedProgram[],
  { canaries }: Trial,
): Findings {
  const control = controls.flatMap((program) => attempt(program, canaries))
  return { tried, attempts: [], control, inconclusive: "control_failed" }
}

/** The payload in all templates, behind a control in the first. */
async function runPayload(payload: string, open: readonly ShellTemplate[], trial: Trial) {
  const { canaries, directory } = trial
  const deadlineMs = Date.now() + PAYLOAD_SHARE * (trial.deadlineMs - Date.now())
  const before = sharedFiles()
  const wanted = [
    ...open.slice(0, 1).map((template) => ({ template, payload: CONTROL_VALUE })),
    ...open.map((template) => ({ template, payload })),
  ]
  const place = { ...trial, directory: join(directory, "payload"), deadlineMs }
  const { programs, isComplete, tally } = await runPrograms(wanted, place)
  const shared = takeSharedFiles(before, programs)
  const hits = programs.slice(1).flatMap((program): readonly Hit[] => {
    return attempt(program, canaries, shared.get(program)).map((found) => ({ program, found }))
  })
  const isSilenced = silenced(programs, tally, trial).length > 0
  const found = hits.length === 0 && isSilenced ? await findSilenced(wanted.slice(1), trial) : hits
  return { control: programs.slice(0, 1), hits: found, isComplete }
}

function silenced(
  programs: readonly ObservedProgram[],
  tally: readonly string[],
  { canaries }: Trial,
) {
  const trails = programs.map(({ trail }) => trail)
  return silencedEffects(trails, tally, canaries)
}

/** A tally is of a whole batch, so each program runs again, alone, until one is found. */
async function findSilenced(
  wanted: readonly Omit<ObservedProgram, "trail">[],
  trial: Trial,
): Promise<readonly Hit[]> {
  for (const [index, one] of wanted.entries()) {
    const place = { ...trial, directory: join(trial.directory, `alone-${index}`) }
    const { programs, tally } = await runPrograms([one], place)
    const [program] = programs
    const effects = silenced(programs, tally, trial)
    if (program !== undefined && effects.length > 0) {
      return [{ program, found: toAttempt(program, effects) }]
    }
  }
  return []
}

/** Programs of one shell, in one batch. */
async function runPrograms(
  wanted: readonly Omit<ObservedProgram, "trail">[],
  place: BatchPlace,
): Promise<Omit<BatchOutcome, "trails"> & { readonly programs: readonly ObservedProgram[] }> {
  const shell = wanted[0]?.template.shell
  if (shell === undefined) return { programs: [], isComplete: true, tally: [] }
  const lines = wanted.map(({ template, payload }) => fillTemplate(template, payload))
  const { trails, ...outcome } = await runBatch(shell, lines, place)
  const programs = wanted.flatMap((program, index) => {
    const trail = trails[index]
    return trail === undefined ? [] : [{ ...program, trail }]
  })
  return { ...outcome, programs }
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
  return effects.length === 0 ? [] : [toAttempt(observed, effects)]
}

function toAttempt(
  { template, payload }: ObservedProgram,
  effects: readonly TwinEffect[],
): TwinAttempt {
  const program = fillTemplate(template, payload).slice(0, TWIN_LIMITS.programCharactersMax)
  return { template: template.name, program, effects }
}
