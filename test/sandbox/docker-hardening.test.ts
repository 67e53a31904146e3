import { describe, expect, test } from "bun:test"
import { containerOptions, twinCommand } from "../../src/sandbox/docker-hardening.ts"
import { TWIN_LIMITS_BY_CLASS } from "../../src/sandbox/limits.ts"
import { SIMULATED_CLASSES } from "../../src/twin-protocol.ts"

const INSTANCE = "11111111-2222-3333-4444-555555555555"

describe("containerOptions", () => {
  test.each([...SIMULATED_CLASSES])("leaves %s nothing that it does not need", (twinClass) => {
    const limits = TWIN_LIMITS_BY_CLASS[twinClass]
    const plan = { class: twinClass, instance: INSTANCE, image: "image", runtime: "runc", limits }
    const { HostConfig: host, ...options } = containerOptions(plan)
    expect(options).toMatchObject({ User: "10001:10001", NetworkDisabled: true, StdinOnce: true })
    expect(options.Labels?.["sentinel.sandbox"]).toBe(INSTANCE)
    expect(host).toMatchObject({
      ...{ NetworkMode: "none", IpcMode: "none", ReadonlyRootfs: true, Privileged: false },
      ...{ CapDrop: ["ALL"], Binds: [], PidsLimit: limits.pids, NanoCpus: limits.cpus * 1e9 },
      ...{ Memory: limits.memoryBytes, MemorySwap: limits.memoryBytes },
    })
    const [privileges, profile = ""] = host?.SecurityOpt ?? []
    expect(privileges).toBe("no-new-privileges:true")
    expect(JSON.parse(profile.replace("seccomp=", "")).defaultAction).toBe("SCMP_ACT_ERRNO")
    expect(host?.Tmpfs?.["/tmp"]).toContain("noexec,nosuid,nodev")
  })

  test("twinCommand hands over class and mark as arguments, not as script", () => {
    expect(twinCommand("xss", INSTANCE).slice(-3)).toEqual([
      "twin",
      "xss",
      `sentinel.sandbox=${INSTANCE}`,
    ])
  })
})
