import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { reproductionSteps } from "../../src/operators/reproduction.ts"

const proof = {
  ...{ template: "quoted", program: "SELECT 1", observed: "a row" },
  effect: "canary_leaked",
} as const

/** What a shell makes of the step, with `./sentinel` put in place by a command that prints its input. */
function replay(payload: string, location = "query:q") {
  const subject = { class: "sql_injection", location } as const
  const [step = ""] = reproductionSteps(subject, payload, proof)
  const [print = ""] = step.split(" | ./sentinel ")
  const shell = Bun.spawnSync(["sh", "-c", print], { env: { PATH: "/usr/bin:/bin" } })
  return { step, bytes: Buffer.from(shell.stdout), exitCode: shell.exitCode }
}

describe("reproductionSteps", () => {
  test("reproductionSteps gives a shell the very bytes of the payload, and nothing to obey", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 60 }), (text) => {
        const payload = text.toWellFormed()
        const { step, bytes } = replay(payload)
        expect(bytes).toEqual(Buffer.from(payload))
        expect(step).toMatch(/^[\x20-\x7e]*$/)
      }),
      { numRuns: 60 },
    )
  })

  test("reproductionSteps survives what shells, printf and terminals obey", () => {
    const hostile = [
      "'; touch /tmp/owned; '",
      "-v x",
      "%s%n%d",
      "\\0",
      "\u001b[2J\u0000",
      "`id`$(id)",
    ]
    for (const payload of hostile) expect(replay(payload).bytes).toEqual(Buffer.from(payload))
    const { step } = replay("x", "query:'; touch owned #\u001b[2J\n")
    expect(step).toMatch(/^[\x20-\x7e]*$/)
    expect(step).toContain(`--location='query:'\\''; touch owned #?[2J?' -`)
  })
})
