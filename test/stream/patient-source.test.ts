import { describe, expect, test } from "bun:test"
import { ConfigInvalidError, UnavailableError } from "../../src/errors.ts"
import { patientSource } from "../../src/stream/patient-source.ts"
import type { Source, SourceListener } from "../../src/stream/types.ts"
import { FakeClock } from "../support/fake-clock.ts"
import { listSource, record } from "../support/list-source.ts"

function silentListener(failures: unknown[] = []): SourceListener {
  return {
    assigned: () => undefined,
    revoked: async () => undefined,
    record: () => true,
    ended: () => undefined,
    failed: (error) => void failures.push(error),
  }
}

/** A source whose first starts fail. */
function reluctant(failures: Error[]): () => Source {
  return () => {
    const source = listSource([record(0, "a")], { transactional: true })
    const { start } = source
    return Object.assign(source, {
      async start(listener: SourceListener) {
        const failure = failures.shift()
        if (failure !== undefined) throw failure
        await start(listener)
      },
    })
  }
}

function patient(create: () => Source, clock: FakeClock, waits: string[] = []) {
  const onWaiting = ({ code }: { code: string }) => void waits.push(code)
  return patientSource({ name: "patient", create, clock, random: () => 0.5, onWaiting })
}

describe("patientSource", () => {
  test("tries again with a fresh source until one starts, and says what it waits for", async () => {
    const clock = new FakeClock()
    const waits: string[] = []
    const failures = [new UnavailableError("kafka"), new UnavailableError("kafka")]
    const source = patient(reluctant(failures), clock, waits)
    await source.start(silentListener())
    expect(source.inner).toBeUndefined()
    await clock.settle(clock.sleep(60_000))
    expect(waits).toEqual(["UNAVAILABLE", "UNAVAILABLE"])
    expect(source.inner).toBeDefined()
  })

  test("knows that it is transactional for a record that comes while it still starts", async () => {
    const clock = new FakeClock()
    let wasTransactional: boolean | undefined
    const source = patient(reluctant([]), clock)
    await source.start({
      ...silentListener(),
      record: () => {
        wasTransactional = source.transactional
        return true
      },
    })
    await clock.quiet()
    expect(wasTransactional).toBe(true)
  })

  test("never takes a commit that nobody can make", async () => {
    const source = patient(reluctant([]), new FakeClock())
    const commit = source.commit({ topic: "list", partition: 0 }, 1n)
    await expect(commit).rejects.toMatchObject({ code: "PARTITION_LOST" })
  })

  test("hands on what no waiting mends", async () => {
    const clock = new FakeClock()
    const failures: unknown[] = []
    const source = patient(reluctant([new ConfigInvalidError(["x"])]), clock)
    await source.start(silentListener(failures))
    await clock.quiet()
    expect(failures).toMatchObject([{ code: "CONFIG_INVALID" }])
  })
})
