import { describe, expect, test } from "bun:test"
import { bubblewrapCommand, createBubblewrapDriver } from "../../src/sandbox/bubblewrap-driver.ts"
import { TWIN_LIMITS_BY_CLASS } from "../../src/sandbox/limits.ts"

const OPTIONS = { instance: "01234567-89ab-cdef-0123-456789abcdef", rootDirectory: "/image" }

describe("bubblewrapCommand", () => {
  test("bubblewrapCommand has the kernel count processes where no group does", () => {
    const { pids } = TWIN_LIMITS_BY_CLASS.command_injection
    const alone = bubblewrapCommand(OPTIONS, "command_injection", { isGrouped: false }).join(" ")
    expect(alone).toContain(`ulimit -p ${pids} || exit;`)
    const grouped = bubblewrapCommand(OPTIONS, "command_injection", { isGrouped: true }).join(" ")
    expect(grouped).not.toContain("ulimit")
  })
})

test.skipIf(process.getuid?.() !== 0)(
  "createBubblewrapDriver starts nothing for root without a control group, whom no limit of processes holds",
  async () => {
    const audited: string[] = []
    const driver = createBubblewrapDriver({
      ...{ ...OPTIONS, digest: "sha256:0", notes: [], makeGroup: () => undefined },
      audit: (eventType) => Promise.resolve(void audited.push(eventType)),
    })
    const start = driver.start("command_injection", AbortSignal.timeout(1_000))
    await expect(start).rejects.toThrow("the number of processes cannot be limited")
    expect(audited).toEqual([])
  },
)
