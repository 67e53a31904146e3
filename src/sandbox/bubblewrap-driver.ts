import { SandboxUnavailableError } from "../errors.ts"
import type { SandboxDescription } from "../ports/sandbox.ts"
import type { SimulatedClass } from "../twin-protocol.ts"
import type { GroupCounters, GroupReader } from "./control-group.ts"
import { SANDBOX_UID, twinCommand } from "./docker-hardening.ts"
import { processMark } from "./instance.ts"
import { type LimitGroup, makeLimitGroup, removeGroups } from "./limit-group.ts"
import { TWIN_LIMITS_BY_CLASS, type TwinLimits } from "./limits.ts"
import { LineChannel } from "./line-channel.ts"
import { killMarked, markedProcesses } from "./marked-processes.ts"
import { treeUsage } from "./process-tree.ts"
import {
  type Audit,
  type HostUsage,
  isReady,
  type SandboxDriver,
  type TwinHost,
} from "./twin-host.ts"

const REAP_MS = 5_000
/** Of one process, should the clock outside be late. */
const CPU_GRACE_S = 60
const WATCH_MS = 50
/** What a shell says of a process that SIGKILL ended. */
const EXIT_KILLED = 137
const PATH = "/usr/bin:/bin:/usr/local/bin"

export interface BubblewrapDriverOptions {
  readonly instance: string
  /** The unpacked image and its digest. */
  readonly rootDirectory: string
  readonly digest: string
  readonly audit: Audit
  readonly notes: readonly string[]
  /** Makes the control group of one process. */
  readonly makeGroup?: typeof makeLimitGroup
}

/** Twins as processes in namespaces of their own, one for many runs of one class. */
export function createBubblewrapDriver(options: BubblewrapDriverOptions): SandboxDriver {
  const mark = processMark(options.instance)
  let started = 0
  return {
    describe: (twinClass) => describeBubblewrap(options, twinClass),
    start: (twinClass, signal) => startProcess(options, twinClass, { number: ++started, signal }),
    async reap() {
      const found = markedProcesses(mark).length
      await killMarked(mark, REAP_MS)
      removeGroups(options.instance)
      return found
    },
  }
}

function describeBubblewrap(
  { digest, notes }: BubblewrapDriverOptions,
  twinClass: SimulatedClass = "sql_injection",
): SandboxDescription {
  const limits = enforcedLimits(TWIN_LIMITS_BY_CLASS[twinClass])
  return { driver: "bubblewrap", runtime: "bwrap", imageDigest: digest, limits, notes }
}

/** Memory and processes by a control group where one can be made, else by watching. */
function enforcedLimits(limits: TwinLimits): Readonly<Record<string, number>> {
  return {
    timeout_ms: limits.timeoutMs,
    memory_bytes: limits.memoryBytes,
    processes: limits.pids,
    tmpfs_bytes: limits.tmpfsBytes,
    open_files: limits.openFiles,
    file_bytes: limits.fileBytes,
  }
}

async function startProcess(
  options: BubblewrapDriverOptions,
  twinClass: SimulatedClass,
  { number, signal }: { readonly number: number; readonly signal: AbortSignal },
): Promise<TwinHost> {
  const id = `bwrap-${number}`
  const { makeGroup = makeLimitGroup } = options
  const group = makeGroup(`${options.instance}-${number}`, TWIN_LIMITS_BY_CLASS[twinClass])
  if (group === undefined && process.getuid?.() === 0) {
    throw new SandboxUnavailableError(
      "the number of processes cannot be limited: root has no control group here",
    )
  }
  const limits = enforcedLimits(TWIN_LIMITS_BY_CLASS[twinClass])
  try {
    await options.audit("started", { host: id, class: twinClass, image: options.digest, limits })
    return await startIn(group, options, { id, twinClass, signal })
  } catch (error) {
    await group?.remove()
    throw error
  }
}

async function startIn(
  group: LimitGroup | undefined,
  options: BubblewrapDriverOptions,
  { id, twinClass, signal }: { id: string; twinClass: SimulatedClass; signal: AbortSignal },
): Promise<TwinHost> {
  const command = bubblewrapCommand(options, twinClass, { isGrouped: group !== undefined })
  const child = spawnBubblewrap([...joined(group), ...command])
  const channel = new LineChannel((text) => void child.stdin.write(text))
  void pump(child.stdout, channel)
  const host = processHost(child, group, { id, class: twinClass, channel })
  if (!(await isReady(channel, signal))) {
    await host.destroy()
    throw new SandboxUnavailableError("the twin did not get ready under bubblewrap")
  }
  return host
}

type BubblewrapProcess = Bun.Subprocess<"pipe", "pipe", "ignore">

/** A shell that joins the groups before it becomes the command that follows. */
function joined(group: LimitGroup | undefined): readonly string[] {
  if (group === undefined) return []
  const script =
    'while [ "$1" != -- ]; do echo $$ > "$1/cgroup.procs" || exit 1; shift; done; shift; exec "$@"'
  return ["sh", "-c", script, "sh", ...group.directories, "--"]
}

function spawnBubblewrap(command: readonly string[]): BubblewrapProcess {
  try {
    return Bun.spawn([...command], {
      ...{ stdin: "pipe", stdout: "pipe", stderr: "ignore", env: { PATH } },
    })
  } catch (error) {
    throw new SandboxUnavailableError("bubblewrap could not be started", error)
  }
}

/**
 * The whole command line: limits of processes, then namespaces, then the twin.
 *
 * Without a control group the kernel counts the processes of its user namespace (Linux 5.14), but
 * those of root it does not count: a fork bomb would take the machine with it.
 */
export function bubblewrapCommand(
  { rootDirectory, instance }: Pick<BubblewrapDriverOptions, "rootDirectory" | "instance">,
  twinClass: SimulatedClass,
  { isGrouped }: { readonly isGrouped: boolean },
): readonly string[] {
  const { openFiles, fileBytes, timeoutMs, tmpfsBytes, pids } = TWIN_LIMITS_BY_CLASS[twinClass]
  const cpuSeconds = Math.ceil(timeoutMs / 1_000) + CPU_GRACE_S
  const [uid, size] = [String(SANDBOX_UID), String(tmpfsBytes)]
  return [
    ...["prlimit", "--core=0", `--nofile=${openFiles}`, `--fsize=${fileBytes}`],
    ...[`--cpu=${cpuSeconds}`, "bwrap", "--unshare-all", "--unshare-user", "--disable-userns"],
    ...["--die-with-parent", "--new-session", "--as-pid-1", "--clearenv", "--cap-drop", "ALL"],
    ...["--uid", uid, "--gid", uid, "--hostname", "twin", "--ro-bind", rootDirectory, "/"],
    // A twin started by root is still root to the files of the kernel, such as /proc/sys.
    ...["--proc", "/proc", "--remount-ro", "/proc", "--dev", "/dev", "--remount-ro", "/dev"],
    ...["--size", size, "--perms", "1777", "--tmpfs", "/tmp", "--chdir", "/tmp"],
    ...["--setenv", "HOME", "/tmp", "--setenv", "TMPDIR", "/tmp", "--setenv", "LANG", "C.UTF-8"],
    ...["--", ...twinCommand(twinClass, instance, isGrouped ? undefined : pids)],
  ]
}

async function pump(output: ReadableStream<Uint8Array>, channel: LineChannel): Promise<void> {
  try {
    for await (const chunk of output) channel.feed(chunk)
  } finally {
    channel.end()
  }
}

function processHost(
  child: BubblewrapProcess,
  group: LimitGroup | undefined,
  host: Pick<TwinHost, "id" | "class" | "channel">,
): TwinHost {
  const watched =
    group === undefined ? watchLimits(child, TWIN_LIMITS_BY_CLASS[host.class]) : group.counters
  const kill = async () => {
    child.kill("SIGKILL") // everything inside dies with it: the kernel ends the PID namespace
    await child.exited
  }
  return {
    ...host,
    usage: () => Promise.resolve(processUsage(child, watched())),
    kill,
    async destroy() {
      await kill()
      host.channel.end()
      await group?.remove()
    },
  }
}

/**
 * Without a group: kills what takes more memory or processes than it may. It looks 20 times a
 * second, so more memory can be taken for a moment.
 */
function watchLimits(child: BubblewrapProcess, limits: TwinLimits): GroupReader {
  let memoryPeakBytes = 0
  let outOfMemoryKills = 0
  const timer = setInterval(() => {
    const { privateBytes = 0, processes = 0 } = treeUsage(child.pid) ?? {}
    memoryPeakBytes = Math.max(memoryPeakBytes, privateBytes)
    if (privateBytes <= limits.memoryBytes && processes <= limits.pids) return
    outOfMemoryKills = 1
    child.kill("SIGKILL")
  }, WATCH_MS)
  timer.unref()
  void child.exited.finally(() => clearInterval(timer))
  return () => ({ cpuMs: treeUsage(child.pid)?.cpuMs, memoryPeakBytes, outOfMemoryKills })
}

function processUsage(child: BubblewrapProcess, counters: GroupCounters): HostUsage {
  const { cpuMs, memoryPeakBytes, outOfMemoryKills = 0 } = counters
  const isOver = child.exitCode !== null || child.signalCode !== null
  const exitCode = isOver ? (child.exitCode ?? EXIT_KILLED) : undefined
  return { cpuMs, memoryPeakBytes, exitCode, outOfMemory: outOfMemoryKills > 0 }
}
