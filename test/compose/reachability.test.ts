import { describe, expect, test } from "bun:test"
import { Reachability, watchObjects } from "../../src/compose/reachability.ts"
import { ObjectNotFoundError, UnavailableError } from "../../src/errors.ts"
import type { ObjectStore } from "../../src/ports.ts"

const clock = { ms: 0, nowMs: () => clock.ms }

const settled = (work: Promise<unknown>) => work.catch((error: unknown) => error)

describe("Reachability", () => {
  test("Reachability names a system from its failure to its next answer", async () => {
    const reachability = new Reachability(clock)
    const failure = new UnavailableError("the store")
    expect(await settled(reachability.watch("store", Promise.reject(failure)))).toBe(failure)
    expect(reachability.unreachable()).toEqual(["store"])
    expect(await reachability.watch("store", Promise.resolve(7))).toBe(7)
    expect(reachability.unreachable()).toEqual([])
  })

  test("Reachability forgets a failure that nothing has followed for a minute", async () => {
    const reachability = new Reachability(clock)
    await settled(reachability.watch("store", Promise.reject(new UnavailableError("the store"))))
    clock.ms += 60_000
    expect(reachability.unreachable()).toEqual(["store"])
    clock.ms += 1
    expect(reachability.unreachable()).toEqual([])
  })

  test("watchObjects tells a store that says no from one that says nothing", async () => {
    const reachability = new Reachability(clock)
    let failure: Error = new UnavailableError("MinIO")
    const objects: ObjectStore = {
      name: "minio",
      list: async () => [],
      get: () => Promise.reject(failure),
      ping: async () => undefined,
    }
    const watched = watchObjects(objects, reachability)
    await settled(watched.get("b", "k", { bytesMax: 1 }))
    expect(reachability.unreachable()).toEqual(["object store minio"])
    failure = new ObjectNotFoundError()
    await settled(watched.get("b", "k", { bytesMax: 1 }))
    expect(reachability.unreachable()).toEqual([])
  })
})
