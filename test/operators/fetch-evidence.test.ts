import { describe, expect, test } from "bun:test"
import { ObjectNotFoundError, TooLargeError, UnavailableError } from "../../src/errors.ts"
import type { ObjectLocation, StoredObject } from "../../src/events.ts"
import { fetchEvidence } from "../../src/operators/fetch-evidence.ts"
import type { ObjectStore } from "../../src/ports.ts"
import { failure, sampleEvent, utf8 } from "../evidence/sample-evidence.ts"
import { operatorContext } from "../support/operator-context.ts"

/** An object store in memory that keeps its promises and counts what it is asked. */
class MemoryObjects implements ObjectStore {
  readonly name = "memory"
  readonly objects = new Map<string, StoredObject>()
  gets = 0
  lists = 0
  getsAtOnceMax = 0
  #getsAtOnce = 0

  put(key: string, content: string, modifiedMs = 0): void {
    this.objects.set(key, { key, bytes: utf8(content), modifiedMs })
  }

  async list(_: string, prefix: string, options: { objectsMax: number; signal?: AbortSignal }) {
    options.signal?.throwIfAborted()
    this.lists += 1
    const found = [...this.objects.values()].filter(({ key }) => key.startsWith(prefix))
    if (found.length > options.objectsMax) throw new TooLargeError("location", options.objectsMax)
    return found.map(({ key, bytes, modifiedMs }) => ({ key, bytes: bytes.byteLength, modifiedMs }))
  }

  async get(_: string, key: string, options: { bytesMax: number; signal?: AbortSignal }) {
    options.signal?.throwIfAborted()
    this.gets += 1
    this.#getsAtOnce += 1
    this.getsAtOnceMax = Math.max(this.getsAtOnceMax, this.#getsAtOnce)
    await Promise.resolve()
    this.#getsAtOnce -= 1
    const object = this.objects.get(key)
    if (object === undefined) throw new ObjectNotFoundError()
    if (object.bytes.byteLength > options.bytesMax) throw new TooLargeError(key, options.bytesMax)
    return { ...object, modifiedMs: Math.floor(object.modifiedMs / 1_000) * 1_000 }
  }

  async ping(): Promise<void> {}
}

const PREFIX: ObjectLocation = { kind: "prefix", bucket: "evidence", prefix: "e-1/" }
const OBJECT: ObjectLocation = { kind: "object", bucket: "evidence", key: "a.json" }

type Limits = { bytesMax?: number; objectsMax?: number }

async function fetched(objects: ObjectStore, location: ObjectLocation, limits: Limits = {}) {
  return fetchEvidence({ objects, ...limits }).process(sampleEvent({ location }), operatorContext())
}

describe("fetchEvidence", () => {
  test("fetchEvidence passes inline bytes through without asking the store", async () => {
    const objects = new MemoryObjects()
    const evidence = await fetched(objects, { kind: "inline", bytes: utf8("{}") })
    expect(evidence.objects.map(({ bytes }) => bytes)).toEqual([utf8("{}")])
    expect(objects.gets + objects.lists).toBe(0)
  })

  test("fetchEvidence gets one object by one get", async () => {
    const objects = new MemoryObjects()
    objects.put("a.json", "{}")
    const evidence = await fetched(objects, OBJECT)
    expect(evidence.objects[0]?.bytes).toEqual(utf8("{}"))
    expect([objects.gets, objects.lists]).toEqual([1, 0])
    expect(evidence).toMatchObject(sampleEvent({ location: OBJECT }))
  })

  test("fetchEvidence gets all objects under a prefix, in listing order and with its times", async () => {
    const objects = new MemoryObjects()
    for (let index = 0; index < 20; index += 1)
      objects.put(`e-1/p${index}`, `${index}`, 1_234 + index)
    objects.put("e-1/payloads/", "")
    objects.put("e-10/other", "x")
    const evidence = await fetched(objects, PREFIX)
    expect(evidence.objects.map(({ key }) => key)).toEqual(
      Array.from({ length: 20 }, (_, index) => `e-1/p${index}`),
    )
    expect(evidence.objects[3]?.modifiedMs).toBe(1_237)
    expect([objects.lists, objects.gets]).toEqual([1, 20])
    expect(objects.getsAtOnceMax).toBe(4)
  })

  test("fetchEvidence says when there is nothing", async () => {
    const objects = new MemoryObjects()
    expect(await failure(() => fetched(objects, OBJECT))).toBe("OBJECT_NOT_FOUND evidence_uri")
    expect(await failure(() => fetched(objects, PREFIX))).toBe("OBJECT_NOT_FOUND evidence_uri")
  })

  test("fetchEvidence bounds objects, their sum and their number", async () => {
    const objects = new MemoryObjects()
    objects.put("a.json", "12345")
    objects.put("e-1/a", "123")
    objects.put("e-1/b", "456")
    expect(await failure(() => fetched(objects, OBJECT, { bytesMax: 4 }))).toStartWith("TOO_LARGE")
    expect(await failure(() => fetched(objects, PREFIX, { bytesMax: 5 }))).toStartWith("TOO_LARGE")
    expect(await failure(() => fetched(objects, PREFIX, { objectsMax: 1 }))).toStartWith(
      "TOO_LARGE",
    )
    expect(objects.gets).toBe(1)
  })

  test("fetchEvidence counts again what grew after it was listed", async () => {
    const objects = new MemoryObjects()
    for (const key of ["e-1/a", "e-1/b"]) objects.put(key, "x")
    const list = objects.list.bind(objects)
    objects.list = async (...options) => {
      const listed = await list(...options)
      for (const key of ["e-1/a", "e-1/b"]) objects.put(key, "xxxx")
      return listed
    }
    expect(await failure(() => fetched(objects, PREFIX, { bytesMax: 5 }))).toStartWith("TOO_LARGE")
  })

  test("fetchEvidence stops at the first failure and keeps it retryable", async () => {
    const objects = new MemoryObjects()
    for (let index = 0; index < 100; index += 1) objects.put(`e-1/p${index}`, "x")
    let asked = 0
    objects.get = async () => {
      asked += 1
      throw new UnavailableError("object store")
    }
    expect(await failure(() => fetched(objects, PREFIX))).toBe("UNAVAILABLE undefined")
    expect(asked).toBeLessThanOrEqual(4)
  })

  test("fetchEvidence hands its signal on", async () => {
    const objects = new MemoryObjects()
    objects.put("a.json", "{}")
    const context = operatorContext(AbortSignal.abort(new Error("drained")))
    for (const location of [OBJECT, PREFIX]) {
      const event = sampleEvent({ location })
      const call = async () => fetchEvidence({ objects }).process(event, context)
      await expect(call()).rejects.toThrow("drained")
    }
  })
})
