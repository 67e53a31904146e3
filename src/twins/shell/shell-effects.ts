import { TWIN_LIMITS, type TwinEffect, type TwinEffectKind } from "../../twin-protocol.ts"
import {
  builtinHasEffect,
  canaryHasEffect,
  isProse,
  type StartedCommand,
} from "./command-effect.ts"
import type { ProgramTrail } from "./shell-batch.ts"
import type { ShellCanaries } from "./shell-canaries.ts"
import type { ShellTemplate } from "./shell-templates.ts"
import { readRecords, readTrace } from "./shell-trail.ts"

/** More shells than pipelines and substitutions of a usual payload need: a fork bomb. */
const SHELL_PROCESSES_MAX = 24

export interface ObservedProgram {
  readonly template: ShellTemplate
  readonly payload: string
  readonly trail: ProgramTrail
}

/** Whether the program ran its own commands and nothing else: what the control has to show. */
export function ranAsWritten({ template, trail }: ObservedProgram, canaries: ShellCanaries) {
  const names = readRecords(trail, canaries.nonce).map(({ name }) => name)
  return names.join(" ") === template.commands.join(" ")
}

/** What the payload made the program do beyond its own commands, the strongest first. */
export function shellEffects(
  observed: ObservedProgram,
  canaries: ShellCanaries,
): readonly TwinEffect[] {
  const { trail, template, payload } = observed
  const isText = isProse(payload)
  const records = readRecords(trail, canaries.nonce)
  const trace = readTrace(trail, canaries.nonce)
  const ran = withoutOwn(records, template.commands).filter((one) => canaryHasEffect(one, isText))
  const spawned = withoutOwn(trace.commands, builtinsOf(template)).filter((one) =>
    builtinHasEffect(one, isText),
  )
  const wasWritten = ran.length > 0 || spawned.length > 0
  return [
    ...leaks(trail, records, canaries),
    ...ran.map((command) => effect("command_run", describe(command))),
    ...(wasWritten ? createdFiles(trail) : []),
    ...spawned.map((command) => effect("process_spawned", describe(command))),
    ...connections(trail),
    ...(trace.shellProcesses > SHELL_PROCESSES_MAX
      ? [effect("process_spawned", `the shell forked into ${trace.shellProcesses} processes`)]
      : []),
  ]
}

export function effect(kind: TwinEffectKind, detail: string): TwinEffect {
  return { kind, detail: detail.slice(0, TWIN_LIMITS.detailCharactersMax) }
}

function describe({ name, arguments: words }: StartedCommand): string {
  return `${name} ran with ${JSON.stringify(words)}`
}

/** The builtins of the template's own line, and the `.` that starts it. */
function builtinsOf({ line }: ShellTemplate): readonly string[] {
  return line.startsWith("echo ") ? [".", "echo"] : ["."]
}

/** Each name of `own` taken away once, where it comes first. */
function withoutOwn(
  commands: readonly StartedCommand[],
  own: readonly string[],
): readonly StartedCommand[] {
  const left = [...own]
  return commands.filter(({ name }) => {
    const index = left.indexOf(name)
    if (index >= 0) left.splice(index, 1)
    return index < 0
  })
}

function leaks(
  { output }: ProgramTrail,
  records: readonly StartedCommand[],
  { secrets }: ShellCanaries,
): readonly TwinEffect[] {
  const holdsSecret = (text: string) => secrets.some((secret) => text.includes(secret))
  const carrier = records.find(({ arguments: words }) => words.some(holdsSecret))
  return [
    ...(holdsSecret(output) ? [effect("output_leaked", "the output holds a secret")] : []),
    ...(carrier === undefined
      ? []
      : [effect("output_leaked", `the arguments of ${carrier.name} hold a secret`)]),
  ]
}

/** Prose makes files as well (`5 > 3`): only what something was written to counts. */
function createdFiles({ files }: ProgramTrail): readonly TwinEffect[] {
  return [...files]
    .filter(([, bytes]) => bytes > 0)
    .map(([name, bytes]) => effect("file_created", `${JSON.stringify(name)}, ${bytes} bytes`))
}

/** bash opens connections itself; it says so where there is no network. */
function connections({ errors }: ProgramTrail): readonly TwinEffect[] {
  const path = /^\S+: (?:line \d+: )?(\/dev\/(?:tcp|udp)\/[^\n:]{1,200}): /m.exec(errors)?.[1]
  const isConnect = /^\S+: (?:line \d+: )?connect: /m.test(errors)
  if (path === undefined && !isConnect) return []
  return [effect("process_spawned", `bash opened a connection: ${path ?? "connect"}`)]
}
