import type { StartedCommand } from "./command-effect.ts"
import { RECORDER } from "./recorder-script.ts"
import type { ProgramTrail } from "./shell-batch.ts"

const COMMANDS_MAX = 1_000
const TRACE_LINES_MAX = 10_000

/** What the shell's own trace says: each simple command, after expansion. */
export interface ShellTrace {
  readonly commands: readonly StartedCommand[]
  /** Different processes of the shell itself; bash only. */
  readonly shellProcesses: number
}

/** The canary commands that a program started, in order; what the nonce does not prove is left out. */
export function readRecords({ records }: ProgramTrail, nonce: string): readonly StartedCommand[] {
  const commands: StartedCommand[] = []
  for (const record of records.split(RECORDER.recordStart, COMMANDS_MAX)) {
    const [proof, name = "", input, ...words] = record.split(RECORDER.fieldStart)
    if (proof !== nonce) continue
    const kind = input === "file" || input === "pipe" ? input : "none"
    commands.push({ name, arguments: words, input: kind })
  }
  return commands
}

/** The trace that `set -x` wrote between the messages of programs. */
export function readTrace({ errors }: ProgramTrail, nonce: string): ShellTrace {
  const commands: StartedCommand[] = []
  const processes = new Set<string>()
  for (const line of errors.split("\n", TRACE_LINES_MAX)) {
    const start = line.indexOf(`+${nonce} `)
    if (start < 0 || !/^\+*$/.test(line.slice(0, start))) continue
    const [process = "", ...words] = line.slice(start + nonce.length + 2).split(" ")
    processes.add(process)
    const [name = "", ...rest] = words.filter((word) => word !== "")
    if (commands.length < COMMANDS_MAX) commands.push({ name, arguments: rest, input: "none" })
  }
  return { commands, shellProcesses: processes.size }
}
