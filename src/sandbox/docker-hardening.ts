import seccompProfile from "../../deploy/seccomp-twin.json"
import type { SimulatedClass } from "../twin-protocol.ts"
import type { ContainerOptions } from "./docker-engine.ts"
import { LABELS, ownerLabel, ownOwner, processMark } from "./instance.ts"
import type { TwinLimits } from "./limits.ts"

/** User and group of everything in a sandbox. */
export const SANDBOX_UID = 10_001

export const TWIN_PATH = "/opt/sentinel/twin"
/** A copy of dash that reaps what becomes an orphan: zombies count against the limit of processes. */
export const INIT_PATH = "/opt/sentinel/init"

export interface ContainerPlan {
  readonly class: SimulatedClass
  readonly instance: string
  readonly image: string
  /** `runsc` where the engine has it registered, else `runc`. */
  readonly runtime: string
  readonly limits: TwinLimits
}

/**
 * Command line of PID 1. The shell stays (it does not `exec`) and so reaps orphans, and both
 * programs may be executed but not read, so that the kernel keeps other processes of the same user
 * away from their memory and their descriptors: a payload cannot write in the twin's name. Docker's
 * own init would have neither.
 *
 * @param pids processes of this user inside of its namespace, where nothing else limits them
 */
export function twinCommand(
  twinClass: SimulatedClass,
  instance: string,
  pids?: number,
): readonly string[] {
  const limit = pids === undefined ? "" : `ulimit -p ${pids} || exit; `
  return [
    INIT_PATH,
    "-c",
    `${limit}${TWIN_PATH} serve --alone "$1"; exit $?`,
    "twin",
    twinClass,
    processMark(instance),
  ]
}

/** Everything that Docker is told about a container. */
export function containerOptions(plan: ContainerPlan): ContainerOptions {
  const [entry = INIT_PATH, ...args] = twinCommand(plan.class, plan.instance)
  return {
    ...{ Image: plan.image, Entrypoint: [entry], Cmd: args, WorkingDir: "/tmp", Hostname: "twin" },
    User: `${SANDBOX_UID}:${SANDBOX_UID}`,
    Env: ["HOME=/tmp", "TMPDIR=/tmp", "LANG=C.UTF-8"],
    Labels: {
      [LABELS.instance]: plan.instance,
      [LABELS.owner]: ownerLabel(ownOwner()),
      [LABELS.class]: plan.class,
    },
    ...{ OpenStdin: true, StdinOnce: true, AttachStdin: true },
    ...{ AttachStdout: true, AttachStderr: true, Tty: false },
    NetworkDisabled: true,
    HostConfig: hostConfig(plan),
  }
}

function hostConfig({ limits, runtime }: ContainerPlan) {
  const { tmpfsBytes, tmpfsInodes } = limits
  const tmpfs = `rw,noexec,nosuid,nodev,size=${tmpfsBytes},nr_inodes=${tmpfsInodes},mode=1777`
  return {
    Runtime: runtime,
    NetworkMode: "none",
    IpcMode: "none", // and so no /dev/shm
    CgroupnsMode: "private" as const,
    ReadonlyRootfs: true,
    Privileged: false,
    CapDrop: ["ALL"],
    SecurityOpt: ["no-new-privileges:true", `seccomp=${JSON.stringify(seccompProfile)}`],
    Memory: limits.memoryBytes,
    MemorySwap: limits.memoryBytes, // of memory and swap together: no swap
    PidsLimit: limits.pids,
    NanoCpus: limits.cpus * 1e9,
    OomScoreAdj: 1_000,
    Tmpfs: { "/tmp": tmpfs },
    Ulimits: ulimits(limits),
    LogConfig: { Type: "none", Config: {} },
    RestartPolicy: { Name: "no" },
    Binds: [],
  }
}

function ulimits({ openFiles, fileBytes, timeoutMs }: TwinLimits) {
  const limit = (Name: string, value: number) => ({ Name, Soft: value, Hard: value })
  return [
    limit("core", 0),
    limit("nofile", openFiles),
    limit("fsize", fileBytes),
    limit("memlock", 65_536),
    // of one process, however often the clock outside is fooled or late
    limit("cpu", Math.ceil(timeoutMs / 1_000) + 60),
  ]
}
