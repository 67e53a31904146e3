import { expect, test } from "bun:test"
import { SandboxUnavailableError } from "../../src/errors.ts"
import { LineChannel } from "../../src/sandbox/line-channel.ts"
import type { SandboxDriver, TwinHost } from "../../src/sandbox/twin-host.ts"
import { TwinPool } from "../../src/sandbox/twin-pool.ts"

const HOST: TwinHost = {
  ...{ id: "0".repeat(12), class: "xss", channel: new LineChannel(() => undefined) },
  usage: () => Promise.reject(new Error("nobody asks")),
  kill: () => Promise.resolve(),
  destroy: () => Promise.resolve(),
}

/** The first start succeeds; each later one fails when `second` settles, or is called off. */
function poolOf(second: Promise<unknown>) {
  const errors: unknown[] = []
  let starts = 0
  const driver: SandboxDriver = {
    describe() {
      throw new Error("nobody asks")
    },
    reap: () => Promise.resolve(0),
    async start(_, signal) {
      if (starts++ === 0) return HOST
      const calledOff = new Promise((resolve) => signal.addEventListener("abort", resolve))
      await Promise.race([second, calledOff])
      throw new SandboxUnavailableError("the twin did not get ready")
    },
  }
  const pool = new TwinPool({
    ...{ driver, busyMax: 1, warmMax: 2, audit: () => Promise.resolve(), isPaused: () => false },
    onError: (error) => void errors.push(error),
  })
  return { pool, errors }
}

test("TwinPool tells of no failure where close calls off what was being started", async () => {
  const { pool, errors } = poolOf(new Promise(() => undefined))
  pool.giveBack(await pool.checkout("xss"), undefined)
  await pool.close()
  expect(errors).toEqual([])
})

test("TwinPool tells of a start in the background that failed by itself", async () => {
  const { pool, errors } = poolOf(Promise.resolve())
  await pool.checkout("xss")
  await pool.startsSettled(1_000)
  await pool.close()
  expect(errors).toEqual([expect.any(SandboxUnavailableError)])
})
