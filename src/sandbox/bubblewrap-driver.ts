import { SandboxUnavailableError } from "../errors.ts"
import type { SandboxDescription } from "../ports.ts"
import type { SimulatedClass } from "../twin-protocol.ts"
import { INIT_PATH, SANDBOX_UID, TWIN_PATH } from "./docker-hardening.ts"
import { processMark } from "./instance.ts"
import { TWIN_LIMITS_BY_CLASS, type TwinLimits, USES_MAX } from "./limits.ts"
import { LineChannel } from "./line-channel.ts"
import { killMarked, markedProcesses, treeCpuMs } from "./marked-processes.ts"
import {
  type Audit,
  type HostUsage,
  isReady,
  type SandboxDriver,
  type TwinHost,
} from "./twin-host.ts"

const REAP_MS = 5_000

export interface BubblewrapDriverOptions {
  readonly instance: string
  /** The unpacked image and its digest. */
  readonly rootDirectory: string
  readonly digest: string
  readonly audit: Audit
  readonly notes: readonly string[]
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

/** Only what holds here: there are no control groups, and so no share of processors or of pids. */
function enforcedLimits(limits: TwinLimits): Readonly<Record<string, number>> {
  return {
    timeout_ms: limits.timeoutMs,
    data_bytes_per_process: dataBytes(limits),
    tmpfs_bytes: limits.tmpfsBytes,
    open_files: limits.openFiles,
    file_bytes: limits.fileBytes,
  }
}

/** JavaScriptCore reserves more than it uses, all of which counts here. */
function dataBytes({ memoryBytes }: TwinLimits): number {
  return memoryBytes * 4
}

async function startProcess(
  options: BubblewrapDriverOptions,
  twinClass: SimulatedClass,
  { number, signal }: { readonly number: number; readonly signal: AbortSignal },
): Promise<TwinHost> {
  const id = `bwrap-${number}`
  const limits = enforcedLimits(TWIN_LIMITS_BY_CLASS[twinClass])
  await options.audit("process_created", { process: id, class: twinClass, limits })
  const child = spawnBubblewrap(options, twinClass)
  const channel = new LineChannel((text) => void child.stdin.write(text))
  void pump(child.stdout, channel)
  const host = processHost(child, { id, class: twinClass, channel })
  if (!(await isReady(channel, signal))) {
    await host.destroy()
    throw new SandboxUnavailableError("the twin did not get ready under bubblewrap")
  }
  return host
}

type BubblewrapProcess = Bun.Subprocess<"pipe", "pipe", "ignore">

function spawnBubblewrap(
  options: BubblewrapDriverOptions,
  twinClass: SimulatedClass,
): BubblewrapProcess {
  try {
    return Bun.spawn([...bubblewrapCommand(options, twinClass)], {
      ...{ stdin: "pipe", stdout: "pipe", stderr: "ignore", env: {} },
    })
  } catch (error) {
    throw new SandboxUnavailableError("bubblewrap could not be started", error)
  }
}

/** The whole command line: limits of processes, then namespaces, then the twin. */
export function bubblewrapCommand(
  { rootDirectory, instance }: Pick<BubblewrapDriverOptions, "rootDirectory" | "instance">,
  twinClass: SimulatedClass,
): readonly string[] {
  const limits = TWIN_LIMITS_BY_CLASS[twinClass]
  return [
    ...["/usr/bin/prlimit", "--core=0", `--nofile=${limits.openFiles}`],
    ...[`--fsize=${limits.fileBytes}`, `--data=${dataBytes(limits)}`],
    ...[`--cpu=${Math.ceil(limits.timeoutMs / 1_000) + 10}`, "/usr/bin/bwrap"],
    ...["--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent"],
    ...["--new-session", "--as-pid-1", "--clearenv", "--cap-drop", "ALL"],
    ...["--uid", String(SANDBOX_UID), "--gid", String(SANDBOX_UID), "--hostname", "twin"],
    ...[
      "--ro-bind",
      rootDirectory,
      "/",
      "--proc",
      "/proc",
      "--dev",
      "/dev",
      "--remount-ro",
      "/dev",
    ],
    ...["--size", String(limits.tmpfsBytes), "--perms", "1777", "--tmpfs", "/tmp"],
    ...["--chdir", "/tmp", "--setenv", "HOME", "/tmp", "--setenv", "TMPDIR", "/tmp"],
    ...["--setenv", "LANG", "C.UTF-8", "--", INIT_PATH, "-c", `${TWIN_PATH} serve "$1"; exit $?`],
    ...["twin", twinClass, processMark(instance)],
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
  host: Pick<TwinHost, "id" | "class" | "channel">,
): TwinHost {
  const kill = async () => {
    child.kill("SIGKILL") // everything inside dies with it: the kernel ends the PID namespace
    await child.exited
  }
  return {
    ...host,
    usesMax: USES_MAX,
    usage: () => Promise.resolve(processUsage(child)),
    kill,
    async destroy() {
      await kill()
      host.channel.end()
    },
  }
}

/** Of a running process the kernel's counters of its whole tree; of a dead one what it left. */
function processUsage(child: BubblewrapProcess): HostUsage {
  const usage = child.resourceUsage()
  if (usage === undefined) {
    return { cpuMs: treeCpuMs(child.pid), ...UNKNOWN }
  }
  return {
    cpuMs: Number(usage.cpuTime.total) / 1_000,
    memoryPeakBytes: usage.maxRSS,
    exitCode: child.exitCode ?? EXIT_KILLED,
    outOfMemory: false,
  }
}

const UNKNOWN = { memoryPeakBytes: undefined, exitCode: undefined, outOfMemory: false } as const
const EXIT_KILLED = 137
