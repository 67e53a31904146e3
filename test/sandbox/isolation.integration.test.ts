import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { connect, createServer, type Server } from "node:net"
import { processMark } from "../../src/sandbox/instance.ts"
import { TWIN_LIMITS_BY_CLASS } from "../../src/sandbox/limits.ts"
import { markedProcesses } from "../../src/sandbox/marked-processes.ts"
import { treeUsage } from "../../src/sandbox/process-tree.ts"
import type { TwinHost } from "../../src/sandbox/twin-host.ts"
import { requireService } from "../support/services.ts"
import { type Laboratory, type LaboratoryDriver, openLaboratory, probe } from "./laboratory.ts"
import type { Probe } from "./prober.ts"

/**
 * Each attack is tried for real, by a program that has taken the twin's place, and the evidence is
 * that it failed. What bubblewrap cannot promise (docs/SANDBOX.md) is left out there by name.
 */

const docker = await requireService("docker")
const bubblewrap = await requireService("bubblewrap")

const ABSTRACT_SOCKET = `\0sentinel-test-${process.pid}`
const MEBIBYTE = 1024 * 1024

interface Answer {
  readonly error?: string
  readonly connected?: boolean
  readonly text?: string
  readonly names?: readonly string[]
  readonly found?: readonly string[]
  readonly stdout?: string
  readonly stderr?: string
  readonly written?: boolean
  readonly files?: number
  readonly bytes?: number
  readonly signals?: readonly (string | number | null)[]
}

const drivers: readonly [LaboratoryDriver, boolean][] = [
  ["docker", docker !== undefined],
  ["bubblewrap", bubblewrap !== undefined],
]

for (const [name, isThere] of drivers) {
  describe.skipIf(!isThere)(`isolation: ${name}`, () => {
    const isDocker = name === "docker"
    /** For what bubblewrap does not promise: there it is no test, not even a skipped one. */
    const testDocker: typeof test | (() => void) = isDocker ? test : () => undefined
    let laboratory: Laboratory
    let host: TwinHost
    let listener: Server

    beforeAll(async () => {
      laboratory = await openLaboratory(name, docker?.dockerHost)
      host = await laboratory.start()
      listener = createServer((socket) => socket.end("reached"))
      await new Promise<void>((resolve) => listener.listen(ABSTRACT_SOCKET, resolve))
    }, 60_000)

    afterAll(async () => {
      listener.close()
      await host.destroy()
      laboratory.close()
    })

    const ask = async (question: Probe): Promise<Answer> => {
      const answer = await probe<Answer>(host, question)
      if (answer === undefined) throw new Error("the prober is gone")
      return answer
    }
    const shell = async (script: string) => {
      const { stdout = "", stderr = "" } = await ask({ op: "shell", script })
      return { stdout: stdout.trim(), stderr }
    }

    describe("network", () => {
      const targets = [
        ["the internet", { host: "1.1.1.1", port: 80 }],
        ["the metadata address", { host: "169.254.169.254", port: 80 }],
        ["the gateway of Docker", { host: "172.17.0.1", port: 80 }],
        ["an IPv6 address", { host: "2606:4700:4700::1111", port: 80 }],
        ["an abstract socket of the host", { path: ABSTRACT_SOCKET }],
        ["the socket of Docker", { path: "/var/run/docker.sock" }],
        ["the other socket of Docker", { path: "/run/docker.sock" }],
        ["the socket of containerd", { path: "/run/containerd/containerd.sock" }],
        ["the socket of the system bus", { path: "/run/dbus/system_bus_socket" }],
      ] as const
      test.each(targets)("a connection to %s fails", async (_, target) => {
        const { connected, error } = await ask({ op: "connect", ...target })
        expect({ connected, failed: error !== undefined }).toEqual({
          connected: undefined,
          failed: true,
        })
      })

      test("the abstract socket is there for the host", async () => {
        const { promise, resolve } = Promise.withResolvers<string>()
        const socket = connect({ path: ABSTRACT_SOCKET })
        socket.on("data", (chunk) => resolve(String(chunk)))
        expect(await promise).toBe("reached")
      })

      test("a UDP datagram does not leave, and a name does not resolve", async () => {
        const { error } = await ask({ op: "udp", host: "8.8.8.8", port: 53 })
        expect(error).toBeDefined()
        const name = await ask({ op: "resolve", name: "example.com" })
        expect(Object.keys(name)).toEqual(["error"])
      })

      test("there is no interface but a loopback", async () => {
        const { text = "" } = await ask({ op: "read", path: "/proc/net/dev" })
        const interfaces = [...text.matchAll(/^\s*([\w.-]+):/gm)].map((match) => match[1])
        expect(
          interfaces.filter((device) => !/^(lo|tunl0|sit0|ip6tnl0)$/.test(device ?? "")),
        ).toEqual([])
      })
    })

    describe("files", () => {
      test("/tmp is the only directory in which a file can be made", async () => {
        expect(await ask({ op: "writable" })).toEqual({ found: ["/tmp"] })
      })

      test("the root file system is mounted read-only", async () => {
        const { text = "" } = await ask({ op: "read", path: "/proc/mounts" })
        expect(text).toMatch(/^\S+ \/ \S+ ro,/m)
      })

      test("programs and accounts cannot be replaced", async () => {
        for (const path of ["/etc/passwd", "/opt/sentinel/twin", "/opt/sentinel/init"]) {
          const { error } = await ask({ op: "write", path, text: "x" })
          expect(["EROFS", "EACCES", "ETXTBSY"]).toContain(error ?? "")
        }
      })

      test("/tmp fills at its limit, and a single file before it", async () => {
        const many = await ask({ op: "fill", fileBytes: MEBIBYTE, filesMax: 64 })
        expect(many).toEqual({ files: 16, bytes: 16 * MEBIBYTE, error: "ENOSPC" })
        const one = await ask({ op: "fill", fileBytes: 12 * MEBIBYTE, filesMax: 1 })
        expect(one).toMatchObject({ files: 0, error: "EFBIG" })
      })

      testDocker("/tmp runs out of files before it runs out of bytes", async () => {
        const { files, error } = await ask({ op: "fill", fileBytes: 0, filesMax: 10_000 })
        expect(error).toBe("ENOSPC")
        expect(files).toBeLessThan(4_096)
      })

      test("a program written to /tmp does not run, but under bubblewrap, where it may", async () => {
        const text = "#!/opt/canary/shells/dash\necho ran\n"
        expect(await ask({ op: "write", path: "/tmp/program", text })).toEqual({ written: true })
        expect((await shell("/tmp/program")).stdout).toBe(isDocker ? "" : "ran")
      })

      test("no program is setuid or setgid, and no user can be taken on", async () => {
        const { stdout } = await shell(
          'for f in /* /*/* /*/*/* /*/*/*/*; do [ -u "$f" ] || [ -g "$f" ] && echo "$f"; done',
        )
        expect(stdout.split("\n").filter((path) => !/^(\/proc|\/sys|)(\/|$)/.test(path))).toEqual(
          [],
        )
        const { text = "" } = await ask({ op: "read", path: "/proc/self/status" })
        expect(text).toMatch(/^Uid:\s+10001\s+10001\s+10001\s+10001$/m)
      })
    })

    describe("kernel", () => {
      test("every capability is gone, and none can be gained", async () => {
        const { text = "" } = await ask({ op: "read", path: "/proc/self/status" })
        const sets = [...text.matchAll(/^(Cap\w+):\s+(\w+)$/gm)].map((match) => match[2])
        expect(sets).toEqual(Array.from({ length: 5 }, () => "0".repeat(16)))
        expect(text).toMatch(/^NoNewPrivs:\s+1$/m)
        if (isDocker) expect(text).toMatch(/^Seccomp:\s+2$/m)
      })

      test("kernel interfaces cannot be written", async () => {
        const paths = [
          ...["/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname"],
          ...["/proc/sys/vm/drop_caches", "/proc/sys/net/ipv4/ip_forward", "/proc/sysrq-trigger"],
          ...["/sys/kernel/uevent_helper", "/sys/power/state", "/sys/fs/cgroup/release_agent"],
          ...["/sys/fs/cgroup/memory/memory.limit_in_bytes", "/proc/1/oom_score_adj"],
        ]
        for (const path of paths) {
          // what is there already, so that an attack that works does no harm
          const { text = "0" } = await ask({ op: "read", path })
          const { error } = await ask({ op: "write", path, text })
          expect(`${path}: ${error}`).toMatch(/: (EROFS|EACCES|EPERM|ENOENT)$/)
        }
      })

      test("the memory of the kernel cannot be read", async () => {
        for (const path of ["/proc/kcore", "/dev/mem", "/dev/kmem", "/dev/kmsg", "/proc/kmsg"]) {
          const { text = "" } = await ask({ op: "read", path })
          expect(text).toBe("")
        }
      })

      test("there is no device but the harmless ones", async () => {
        const { names = [] } = await ask({ op: "list", path: "/dev" })
        const harmless = ["core", "fd", "full", "mqueue", "null", "ptmx", "pts", "random", "shm"]
        harmless.push("stderr", "stdin", "stdout", "tty", "urandom", "zero", "console")
        expect(names.filter((device) => !harmless.includes(device))).toEqual([])
      })

      const calls = [
        ["mount", 165, []],
        ["umount2", 166, []],
        ["chroot", 161, []],
        ["pivot_root", 155, []],
        ["unshare of a user namespace", 272, [0x1000_0000]],
        ["setns", 308, [0, 0]],
        ["mknod of a block device", 133, [0, 0o060666, 0x0800]],
        ["setuid to root", 105, [0]],
        ["init_module", 175, []],
        ["reboot", 169, []],
        ["bpf", 321, [0, 0, 0]],
        ["perf_event_open", 298, []],
      ] as const
      test.if(process.arch === "x64").each(calls)("%s is refused", async (_, number, args) => {
        const answer = await probe<{ result: number }>(host, {
          op: "syscall",
          number,
          args: [...args],
        })
        expect(answer?.result).toBe(-1)
      })
    })

    describe("processes", () => {
      test("only what is inside is visible", async () => {
        const { names = [] } = await ask({ op: "list", path: "/proc" })
        expect(names.filter((entry) => /^\d+$/.test(entry)).length).toBeLessThan(4)
      })

      test("a program beside the twin can neither write in its name nor read its memory", async () => {
        const targets = ["/proc/1/fd/1", "/proc/$PPID/fd/1", "/proc/1/mem", "/proc/$PPID/mem"]
        for (const target of targets) {
          const { stderr } = await shell(`echo forged > ${target}`)
          expect(stderr).toMatch(/Permission denied|Read-only file system/)
          const { stdout } = await shell(`{ read -r line < ${target} && echo "$line"; } 2>&1`)
          expect(stdout).toContain("Permission denied")
        }
        expect(host.channel.hasUnsolicited).toBe(false)
      })

      test("the root of PID 1 leads nowhere", async () => {
        const { error, names = [] } = await ask({ op: "list", path: "/proc/1/root/" })
        expect(error ?? names).toBe("EACCES")
      })

      test("the environment holds nothing of the host", async () => {
        const { names = [] } = await ask({ op: "environment" })
        const known = ["HOME", "HOSTNAME", "LANG", "PATH", "PWD", "TMPDIR"]
        expect(names.filter((variable) => !known.includes(variable))).toEqual([])
      })

      test("a flood of zombies is reaped", async () => {
        const { stdout } = await shell(
          `i=0; while [ $i -lt 400 ]; do i=$((i+1)); ( : & ); done
           n=0; for s in /proc/[0-9]*/stat; do read -r line < $s && case $line in *") Z "*) n=$((n+1));; esac; done
           echo $n`,
        )
        expect(Number(stdout)).toBeLessThan(20)
      })
    })

    describe("resources", () => {
      testDocker(
        "four spinning processes get one processor",
        async () => {
          const before = await host.usage()
          const began = performance.now()
          await ask({ op: "crowd", mode: "spin", count: 4, ms: 1_500 })
          const wallMs = performance.now() - began
          const cpuMs = ((await host.usage()).cpuMs ?? 0) - (before.cpuMs ?? 0)
          expect(cpuMs).toBeGreaterThan(0)
          expect(cpuMs).toBeLessThan(wallMs * 1.25)
        },
        20_000,
      )

      test("a fork bomb ends at the limit and the host goes on", async () => {
        const other = await laboratory.start()
        // its output goes nowhere: a pipe would stay open until the last of them is gone
        const script = "f() { f | f & }; f > /dev/null 2>&1 < /dev/null"
        other.channel.send(JSON.stringify({ op: "shell", script, timeoutMs: 1_500 }))
        const processesMax = await mostProcesses(laboratory.instance, 2_000)
        expect(processesMax).toBeGreaterThan(10)
        // without a control group it is killed a moment after it has passed the limit
        if (isDocker || process.getuid?.() === 0) {
          expect(processesMax).toBeLessThanOrEqual(TWIN_LIMITS_BY_CLASS.sql_injection.pids)
        }
        await other.destroy()
        expect(await probe(host, { op: "environment" })).toBeDefined()
      }, 30_000)

      test("memory beyond the limit is refused by killing, and seen from outside", async () => {
        const other = await laboratory.start()
        await probe(other, { op: "crowd", mode: "eat", count: 1, ms: 20_000 })
        const { outOfMemory, memoryPeakBytes } = await other.usage()
        expect(outOfMemory).toBe(true)
        expect(memoryPeakBytes ?? 0).toBeLessThan((isDocker ? 385 : 2_048) * MEBIBYTE)
        await other.destroy()
      }, 30_000)
    })
  })
}

/** The most processes that one of the hosts had at once, as seen from outside. */
async function mostProcesses(instance: string, forMs: number): Promise<number> {
  const deadlineMs = performance.now() + forMs
  let most = 0
  while (performance.now() < deadlineMs) {
    const trees = markedProcesses(processMark(instance)).map((pid) => treeUsage(pid))
    most = Math.max(most, ...trees.map((tree) => tree?.processes ?? 0))
    await Bun.sleep(1)
  }
  return most
}
