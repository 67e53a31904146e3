import { TWIN_LIMITS, type TwinEffect, type TwinEffectKind } from "../../twin-protocol.ts"
import { canaryHasEffect, isProse, type StartedCommand, tracedHasEffect } from "./command-effect.ts"
import type { ProgramTrail } from "./shell-batch.ts"
import type { ShellCanaries } from "./shell-canaries.ts"
import { ownWords, type ShellTemplate, valueIn } from "./shell-templates.ts"
import { readRecords, readTrace, type ShellTrace } from "./shell-trail.ts"

/** More shells than the pipelines and substitutions of a payload: a fork bomb. */
const FURTHER_PROCESSES_MAX = 24
/** More commands than a payload has: a loop that does not end. */
const FURTHER_COMMANDS_MAX = 500
/** Of one attempt: a loop repeats itself. */
const EFFECTS_MAX = 8

export interface ObservedProgram {
  readonly template: ShellTemplate
  readonly payload: string
  readonly trail: ProgramTrail
}

/** Whether the program ran its own command and nothing else: what the control has to show. */
export function ranAsWritten({ template, trail }: ObservedProgram, canaries: ShellCanaries) {
  const names = readRecords(trail, canaries.nonce).map(({ name }) => name)
  return names.length === 1 && names[0] === template.command
}

/** What the payload made the program do beyond its own commands, the strongest first. */
export function shellEffects(
  { trail, template, payload }: ObservedProgram,
  canaries: ShellCanaries,
): readonly TwinEffect[] {
  const isText = isProse(valueIn(template, payload))
  const records = readRecords(trail, canaries.nonce)
  const trace = readTrace(trail, canaries.nonce)
  const ran = withoutOwn(records, template).filter((one) => canaryHasEffect(one, isText))
  const spawned = withoutOwn(trace.commands, template).filter((one) => tracedHasEffect(one, isText))
  const started = [...ran, ...spawned].length > 0
  const effects = [
    ...leaks(trail, records, started ? canaries.secrets : [canaries.variableSecret]),
    ...ran.map((command) => effect("command_run", describe(command))),
    ...(started ? createdFiles(trail) : []),
    ...spawned.map((command) => effect("process_spawned", describe(command))),
    ...connections(trail),
    ...excesses(trace, payload),
  ]
  return [...new Map(effects.map((one) => [one.detail, one])).values()].slice(0, EFFECTS_MAX)
}

/**
 * What ran, but not recorded itself with its proof: a program closed or moved the descriptor, or
 * changed the environment.
 *
 * @param tally of a batch of these programs alone
 */
export function silencedEffects(
  trails: readonly ProgramTrail[],
  tally: readonly string[],
  { nonce }: ShellCanaries,
): readonly TwinEffect[] {
  const recorded = trails.flatMap((trail) => readRecords(trail, nonce))
  if (tally.length <= recorded.length) return []
  const [name = ""] = tally.filter((one) => !recorded.some((record) => record.name === one))
  const what = name === "" ? "a command" : JSON.stringify(name)
  return [effect("command_run", `${what} ran and was kept from being recorded`)]
}

export function effect(kind: TwinEffectKind, detail: string): TwinEffect {
  return { kind, detail: detail.slice(0, TWIN_LIMITS.detailCharactersMax) }
}

function describe({ name, arguments: words }: StartedCommand): string {
  return `${name} ran with ${JSON.stringify(words)}`
}

/**
 * The commands of the payload alone: without those of the template's line, each taken away once where
 * it fits best, and without the words of the line that came to stand behind the payload's last one.
 */
function withoutOwn(
  commands: readonly StartedCommand[],
  template: ShellTemplate,
): readonly StartedCommand[] {
  const { before, behind } = ownWords(template)
  const own = new Set<StartedCommand>()
  for (const name of [".", ...before]) {
    const candidates = commands.filter((command) => command.name === name && !own.has(command))
    const fit = candidates.map((command) => countOwnWords(command, before))
    const best = candidates[fit.indexOf(Math.max(...fit))]
    if (best !== undefined) own.add(best)
  }
  return commands
    .filter((command) => !own.has(command))
    .map((command) => ({ ...command, arguments: withoutTail(command.arguments, behind) }))
}

function countOwnWords({ arguments: words }: StartedCommand, own: readonly string[]): number {
  return own.filter((word) => words.some((argument) => argument.startsWith(word))).length
}

function withoutTail(words: readonly string[], tail: readonly string[]): readonly string[] {
  const start = words.length - tail.length
  const hasTail = tail.length > 0 && tail.every((word, index) => words[start + index] === word)
  return hasTail ? words.slice(0, start) : words
}

/**
 * A file's secret counts only beside a command of the payload's own: `*` alone makes the template's
 * command read all files.
 */
function leaks(
  { output }: ProgramTrail,
  records: readonly StartedCommand[],
  secrets: readonly string[],
): readonly TwinEffect[] {
  const secretIn = (text: string) => secrets.find((secret) => text.includes(secret))
  const leak = (place: string, text: string) => {
    const secret = secretIn(text)
    return secret === undefined ? [] : [effect("output_leaked", `${place}: ${secret}`)]
  }
  const carried = records.map(({ name, arguments: words }) =>
    leak(`in the arguments of ${name}`, words.join(" ")),
  )
  return [...leak("in the output", output), ...(carried.find((found) => found.length > 0) ?? [])]
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

/** Beyond one for each separator that is written in the payload: the query of a URL has dozens of `&`. */
function excesses(
  { commands, shellProcesses }: ShellTrace,
  payload: string,
): readonly TwinEffect[] {
  const written = payload.match(/[&|;()`<>\n]|%[0-9a-f]{2}/gi)?.length ?? 0
  return [
    ...(shellProcesses > written + FURTHER_PROCESSES_MAX
      ? [effect("process_spawned", `the shell forked into ${shellProcesses} processes`)]
      : []),
    ...(commands.length > written + FURTHER_COMMANDS_MAX
      ? [effect("process_spawned", `the shell ran ${commands.length} commands in a loop`)]
      : []),
  ]
}
