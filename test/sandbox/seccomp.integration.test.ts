import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { openDockerEngine } from "../../src/sandbox/docker-engine.ts"
import { containerOptions } from "../../src/sandbox/docker-hardening.ts"
import { ensureImage } from "../../src/sandbox/image/docker-image.ts"
import { TWIN_LIMITS_BY_CLASS } from "../../src/sandbox/limits.ts"
import type { LineChannel } from "../../src/sandbox/line-channel.ts"
import { isReady, type TwinHost } from "../../src/sandbox/twin-host.ts"
import { requireService } from "../support/services.ts"
import { type Laboratory, openLaboratory, proberImage } from "./laboratory.ts"

/**
 * Each call that deploy/seccomp-twin.json refuses is made, by number, in a container with the
 * profile; and in one without it, to know that it is the profile that refuses.
 *
 * Arguments are zeros unless given: enough for the kernel to answer something else than EPERM
 * where it looks at them, and harmless where it does not.
 */

const docker = await requireService("docker")
const EPERM = 1
const ENOSYS = 38
const [AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_ALG, AF_VSOCK] = [
  1, 2, 10, 16, 17, 38, 40,
]
const STREAM = 1

/** Numbers of x86-64: linux/arch/x86/entry/syscalls/syscall_64.tbl. */
const DENIED: readonly [string, number, (readonly number[])?][] = [
  ["shmget", 29],
  ["shmat", 30],
  ["shmctl", 31],
  ["socket: local", 41, [AF_UNIX, STREAM]],
  ["socket: internet", 41, [AF_INET, STREAM]],
  ["socket: internet 6", 41, [AF_INET6, STREAM]],
  ["socket: netlink", 41, [AF_NETLINK, 3]],
  ["socket: packet", 41, [AF_PACKET, 3]],
  ["socket: kernel cryptography", 41, [AF_ALG, 5]],
  ["socket: virtual machine", 41, [AF_VSOCK, STREAM]],
  ["socketpair: internet", 53, [AF_INET, STREAM]],
  ["connect", 42],
  ["accept", 43],
  ["bind", 49],
  ["listen", 50],
  ["getsockname", 51],
  ["getpeername", 52],
  ["setsockopt", 54],
  ["getsockopt", 55],
  ["semget", 64],
  ["semop", 65],
  ["semctl", 66],
  ["shmdt", 67],
  ["msgget", 68],
  ["msgsnd", 69],
  ["msgrcv", 70],
  ["msgctl", 71],
  ["mincore", 27],
  ["ptrace", 101, [1]],
  ["syslog", 103, [10]],
  ["chown", 92],
  ["fchown", 93],
  ["lchown", 94],
  ["setuid", 105, [10_001]],
  ["setgid", 106, [10_001]],
  ["setreuid", 113, [10_001, 10_001]],
  ["setgroups", 116],
  ["setresuid", 117, [10_001, 10_001, 10_001]],
  ["capget", 125],
  ["capset", 126],
  ["mknod", 133],
  ["personality", 135, [0xffff_ffff]],
  ["ustat", 136],
  ["sysfs", 139, [3]],
  ["setpriority", 141],
  ["sched_setparam", 142],
  ["sched_setscheduler", 144],
  ["mlock", 149],
  ["mlockall", 151],
  ["vhangup", 153],
  ["modify_ldt", 154],
  ["pivot_root", 155],
  ["chroot", 161],
  ["sync", 162],
  ["acct", 163],
  ["settimeofday", 164],
  ["mount", 165],
  ["umount2", 166],
  ["swapon", 167],
  ["swapoff", 168],
  ["reboot", 169],
  ["sethostname", 170],
  ["setdomainname", 171],
  ["iopl", 172],
  ["ioperm", 173],
  ["init_module", 175],
  ["delete_module", 176],
  ["quotactl", 179],
  ["setxattr", 188],
  ["getxattr", 191],
  ["io_setup", 206],
  ["lookup_dcookie", 212],
  ["timer_create", 222],
  ["clock_settime", 227],
  ["mbind", 237],
  ["set_mempolicy", 238],
  ["get_mempolicy", 239],
  ["mq_open", 240],
  ["mq_notify", 244],
  ["kexec_load", 246],
  ["add_key", 248],
  ["request_key", 249],
  ["keyctl", 250],
  ["ioprio_set", 251],
  ["inotify_init", 253],
  ["migrate_pages", 256],
  ["mknodat", 259],
  ["fchownat", 260],
  ["unshare", 272, [0x1000_0000]],
  ["tee", 276],
  ["vmsplice", 278],
  ["move_pages", 279],
  ["signalfd4", 289],
  ["inotify_init1", 294],
  ["rt_tgsigqueueinfo", 297],
  ["perf_event_open", 298],
  ["fanotify_init", 300],
  ["name_to_handle_at", 303],
  ["open_by_handle_at", 304],
  ["clock_adjtime", 305],
  ["syncfs", 306],
  ["setns", 308],
  ["process_vm_readv", 310],
  ["process_vm_writev", 311],
  ["kcmp", 312],
  ["finit_module", 313],
  ["seccomp", 317],
  ["kexec_file_load", 320],
  ["bpf", 321],
  ["execveat", 322],
  ["userfaultfd", 323],
  ["pkey_alloc", 330],
  ["io_uring_setup", 425],
  ["io_uring_enter", 426],
  ["io_uring_register", 427],
  ["open_tree", 428],
  ["move_mount", 429],
  ["fsopen", 430],
  ["fsmount", 432],
  ["pidfd_getfd", 438],
  ["process_madvise", 440],
  ["mount_setattr", 442],
  ["landlock_create_ruleset", 444],
  ["memfd_secret", 447],
]

interface Returned {
  readonly result: number
  readonly errno: number
}

const isTestable = docker !== undefined && process.arch === "x64"

describe.skipIf(!isTestable)("seccomp: deploy/seccomp-twin.json", () => {
  let laboratory: Laboratory
  let hardened: TwinHost
  let free: { readonly channel: LineChannel; remove(): Promise<void> }

  beforeAll(async () => {
    laboratory = await openLaboratory("docker", docker?.dockerHost)
    hardened = await laboratory.start()
    free = await startWithoutProfile(docker?.dockerHost, laboratory.instance)
  }, 60_000)

  afterAll(async () => {
    await hardened.destroy()
    await free.remove()
    laboratory.close()
  })

  test.each(DENIED.map(([name, number, args]) => [name, number, args ?? []] as const))(
    "%s is refused",
    async (_, number, args) => {
      const { result, errno } = await call(hardened.channel, number, args)
      expect(result).toBe(-1)
      // runc answers "no such call" for what is newer than every call that a profile names
      expect([EPERM, ENOSYS]).toContain(errno)
    },
  )

  test("clone3 is not there, and clone makes no namespace", async () => {
    expect(await call(hardened.channel, 435, [])).toEqual({ result: -1, errno: ENOSYS })
    const NEW_USER = 0x1000_0000
    expect(await call(hardened.channel, 56, [NEW_USER])).toEqual({ result: -1, errno: EPERM })
  })

  test("without the profile most of the same calls reach the kernel", async () => {
    const reached: string[] = []
    for (const [name, number, args] of DENIED.filter(([denied]) => !STOPPING.includes(denied))) {
      const { result, errno } = await call(free.channel, number, args ?? [])
      if (result !== -1 || ![EPERM, ENOSYS].includes(errno)) reached.push(name)
    }
    expect(reached.length).toBeGreaterThan(DENIED.length / 2)
    expect(reached).toContain("socket: internet")
    expect(reached).toContain("process_vm_readv")
  })
})

/** Calls that would wait for something, or close what answers. */
const STOPPING = ["accept", "io_uring_enter", "mlockall", "msgrcv", "seccomp", "execveat"]

async function call(
  channel: LineChannel,
  number: number,
  args: readonly number[],
): Promise<Returned> {
  channel.send(JSON.stringify({ op: "syscall", number, args }))
  const line = await channel.receive(AbortSignal.timeout(10_000))
  return JSON.parse(line ?? "null")
}

async function startWithoutProfile(dockerHost: string | undefined, instance: string) {
  const engine = openDockerEngine(dockerHost)
  const { reference } = await ensureImage(engine, await proberImage())
  const options = containerOptions({
    ...{ class: "sql_injection", instance, image: reference, runtime: "runc" },
    limits: TWIN_LIMITS_BY_CLASS.sql_injection,
  })
  const SecurityOpt = ["no-new-privileges:true", "seccomp=unconfined"]
  const id = await engine.create({
    ...options,
    HostConfig: { ...options.HostConfig, SecurityOpt },
  })
  const channel = await engine.attach(id)
  await engine.start(id)
  if (!(await isReady(channel, AbortSignal.timeout(20_000)))) throw new Error("no prober")
  return { channel, remove: () => engine.remove(id) }
}
