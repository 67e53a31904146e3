import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import { withDeadline } from "../../clock.ts"
import { CANARY_FOLDERS } from "./canary-commands.ts"
import { RECORDER, SHELL_PATHS, type ShellName } from "./recorder-script.ts"
import type { ShellCanaries } from "./shell-canaries.ts"

/** Of each file that a program writes, its trace among them. */
const FILE_BYTES_MAX = 65_536
const FILES_MAX = 256

export interface BatchPlace {
  /** Empty, and of this batch alone. */
  readonly directory: string
  readonly canaries: ShellCanaries
  readonly deadlineMs: number
}

/** What one program left behind, unread. */
export interface ProgramTrail {
  readonly records: string
  readonly output: string
  readonly errors: string
  /** In its working directory: name -> bytes, where it was not there before or was changed. */
  readonly files: ReadonlyMap<string, number>
}

export interface BatchOutcome {
  readonly trails: readonly ProgramTrail[]
  /** False where the deadline ended it. */
  readonly isComplete: boolean
  /** Names of the canary commands that all programs together started, recorded or not. */
  readonly tally: readonly string[]
}

/**
 * Runs programs one behind the other, each in a subshell with a directory, a record and a trace of
 * its own: a fork each instead of a process start.
 *
 * A program that spins is stopped by its limit of processor time, the whole batch at the deadline;
 * what ran until then counts. What leaves the process group of the batch ends with the twin.
 */
export async function runBatch(
  shell: ShellName,
  programs: readonly string[],
  place: BatchPlace,
): Promise<BatchOutcome> {
  rmSync(RECORDER.tally, { force: true })
  programs.forEach((program, index) => {
    prepare(program, join(place.directory, String(index)), place.canaries)
  })
  const isComplete = await runScript(shell, batchScript(programs.length, place.canaries), place)
  const trails = programs.map((_, index) => readTrail(join(place.directory, String(index)), place))
  const tally = readBounded(RECORDER.tally).split("\n").slice(0, -1)
  return { trails, isComplete, tally }
}

function prepare(program: string, path: string, canaries: ShellCanaries): void {
  mkdirSync(path, { recursive: true })
  writeFileSync(`${path}.sh`, program)
  for (const [name, content] of canaries.files) writeFileSync(join(path, name), content)
}

/**
 * Descriptor 3 stays open while anything of the batch is alive. `kill` is traced and does nothing:
 * the twin itself runs as the same user.
 */
function batchScript(count: number, { nonce }: ShellCanaries): string {
  const indices = Array.from({ length: count }, (_, index) => index).join(" ")
  return `exec 3>&1
PS4='+${nonce} $BASHPID '
kill() { :; }
for program in ${indices}; do (
  ulimit -t 1; ulimit -f ${FILE_BYTES_MAX / 512}
  cd "$program" || exit
  exec ${RECORDER.descriptor}>>"../$program.records" >"../$program.output" 2>"../$program.errors" </dev/null
  set -x
  . "../$program.sh"
) done
`
}

async function runScript(
  shell: ShellName,
  script: string,
  { directory, canaries, deadlineMs }: BatchPlace,
): Promise<boolean> {
  if (!existsSync(SHELL_PATHS[shell])) return true
  writeFileSync(join(directory, "batch.sh"), script)
  // `$0` is the bare name, as where a program calls system()
  const child = Bun.spawn([SHELL_PATHS[shell], "-c", ". ./batch.sh", shell], {
    cwd: directory,
    env: { PATH: CANARY_FOLDERS.join(":"), ...canaries.variables },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "ignore",
    detached: true,
  })
  const leftMs = Math.max(0, deadlineMs - Date.now())
  const isComplete = await withDeadline(leftMs, drain(child.stdout), () => false)
  killGroup(child.pid)
  return isComplete
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, "SIGKILL")
  } catch {
    // Nothing of it is left.
  }
}

/** Resolves when nothing can write any more; what is written does not matter. */
async function drain(stream: ReadableStream<Uint8Array>): Promise<true> {
  for await (const _ of stream);
  return true
}

function readTrail(path: string, { canaries }: BatchPlace): ProgramTrail {
  return {
    records: readBounded(`${path}.records`),
    output: readBounded(`${path}.output`),
    errors: readBounded(`${path}.errors`),
    files: changedFiles(path, canaries),
  }
}

function readBounded(path: string): string {
  try {
    return readFileSync(path).toString("utf8", 0, FILE_BYTES_MAX)
  } catch {
    return ""
  }
}

function changedFiles(directory: string, { files }: ShellCanaries): ReadonlyMap<string, number> {
  const changed = new Map<string, number>()
  for (const entry of listFiles(directory)) {
    const path = join(directory, entry)
    const before = files.get(entry)
    const { size } = statSync(path)
    const isSame = before?.length === size && readBounded(path) === before
    if (!isSame) changed.set(entry, size)
  }
  return changed
}

/** Names of the regular files of a directory, sorted; empty where it cannot be read. */
export function listFiles(directory: string): readonly string[] {
  try {
    const entries = readdirSync(directory, { withFileTypes: true })
    const files = entries.filter((entry) => entry.isFile()).map(({ name }) => name)
    return files.sort().slice(0, FILES_MAX)
  } catch {
    return []
  }
}
