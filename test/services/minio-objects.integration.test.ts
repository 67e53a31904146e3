import { beforeAll, describe, expect, test } from "bun:test"
import { createServer } from "node:net"
import { Client } from "minio"
import { minioObjects } from "../../src/services/minio-objects.ts"
import { requireService } from "../support/services.ts"

const minio = await requireService("minio")
const BYTES_MAX = 1_000_000
const ZEROS = Buffer.alloc(8 * BYTES_MAX)

describe.skipIf(minio === undefined)("minioObjects", () => {
  const options = {
    secure: false,
    region: "us-east-1",
    ...(minio ?? { host: "", port: 0, accessKey: "", secretKey: "" }),
  }
  const objects = minioObjects(options)
  const bucket = `objects-${crypto.randomUUID()}`
  const get = (key: string, bytesMax = BYTES_MAX) => objects.get(bucket, key, { bytesMax })

  const { host: endPoint, secure: useSSL, ...rest } = options
  const client = new Client({ endPoint, useSSL, ...rest })

  beforeAll(async () => {
    await client.makeBucket(bucket)
    await client.putObject(bucket, "event/session.har", Buffer.from("har"))
    await client.putObject(bucket, "event/payloads/payload_001.txt", Buffer.from("x".repeat(500)))
    await client.putObject(bucket, "other/öbject 1.json", Buffer.from("{}"))
    await client.putObject(bucket, "empty", Buffer.alloc(0))
    const compressed = { "content-encoding": "gzip" }
    await client.putObject(bucket, "bomb", Buffer.from(Bun.gzipSync(ZEROS)), undefined, compressed)
    await client.putObject(bucket, "large", Buffer.alloc(8 * BYTES_MAX, 1))
  })

  test("minioObjects gets the bytes of an object, an empty one and one with a strange key", async () => {
    const before = Date.now()
    const { key, bytes, modifiedMs } = await get("event/session.har")
    expect({ key, text: Buffer.from(bytes).toString() }).toEqual({
      key: "event/session.har",
      text: "har",
    })
    expect(Math.abs(modifiedMs - before)).toBeLessThan(600_000)
    expect((await get("empty")).bytes).toHaveLength(0)
    expect(Buffer.from((await get("other/öbject 1.json")).bytes).toString()).toBe("{}")
  })

  test("minioObjects lists what lies under a prefix, with milliseconds", async () => {
    const entries = await objects.list(bucket, "event/", { objectsMax: 10 })
    expect(entries.map(({ key, bytes }) => ({ key, bytes }))).toEqual([
      { key: "event/payloads/payload_001.txt", bytes: 500 },
      { key: "event/session.har", bytes: 3 },
    ])
    for (const { modifiedMs } of entries) expect(Date.now() - modifiedMs).toBeLessThan(600_000)
    expect(await objects.list(bucket, "nothing/", { objectsMax: 10 })).toEqual([])
  })

  test("minioObjects bounds bytes and numbers while it reads", async () => {
    await expect(get("large")).rejects.toMatchObject({ code: "TOO_LARGE" })
    expect((await get("large", 8 * BYTES_MAX)).bytes).toHaveLength(8 * BYTES_MAX)
    const list = objects.list(bucket, "", { objectsMax: 2 })
    await expect(list).rejects.toMatchObject({ code: "TOO_LARGE" })
  })

  test("minioObjects gives the bytes that are stored, though the store calls them compressed", async () => {
    expect(Buffer.from((await get("bomb")).bytes).equals(Bun.gzipSync(ZEROS))).toBe(true)
  })

  test("minioObjects lists more than one page", async () => {
    const keys = Array.from({ length: 1_001 }, (_, index) => `many/${index}`)
    await Promise.all(keys.map((key) => client.putObject(bucket, key, Buffer.alloc(1))))
    expect(await objects.list(bucket, "many/", { objectsMax: 1_001 })).toHaveLength(1_001)
    const list = objects.list(bucket, "many/", { objectsMax: 1_000 })
    await expect(list).rejects.toMatchObject({ code: "TOO_LARGE" })
  })

  test("minioObjects tells missing from refused and names nothing of the input", async () => {
    await expect(get("missing")).rejects.toMatchObject({ code: "OBJECT_NOT_FOUND" })
    const noBucket = objects.get("no-such-bucket-here", "x", { bytesMax: 1 })
    await expect(noBucket).rejects.toMatchObject({ code: "OBJECT_NOT_FOUND" })
    const badBucket = objects.get("No/Bucket!", "x", { bytesMax: 1 })
    await expect(badBucket).rejects.toMatchObject({ code: "LOCATION_REFUSED" })
    const stranger = minioObjects({ ...options, secretKey: "wrong-secret" })
    const refused = stranger.get(bucket, "empty", { bytesMax: 1 })
    await expect(refused).rejects.toMatchObject({ code: "LOCATION_REFUSED", retryable: false })
    await expect(stranger.ping()).rejects.toMatchObject({ code: "LOCATION_REFUSED" })
  })

  test("minioObjects gets many objects at once over its bounded connections", async () => {
    const all = await Promise.all(Array.from({ length: 300 }, () => get("event/session.har")))
    expect(all.every(({ bytes }) => bytes.length === 3)).toBe(true)
    await objects.ping()
  })
})

test("minioObjects reports a store that refuses connections as retryable", async () => {
  const objects = minioObjects({ ...NOBODY, port: await unusedPort() })
  const failed = objects.get("bucket", "key", { bytesMax: 1 })
  await expect(failed).rejects.toMatchObject({ code: "UNAVAILABLE", retryable: true })
  await expect(objects.ping()).rejects.toMatchObject({ code: "UNAVAILABLE" })
})

// A server that accepts and never answers: only the signal ends the call, and the connection.
test("minioObjects ends a call to a silent store when its signal fires", async () => {
  const closed = Promise.withResolvers<void>()
  const silent = createServer((socket) => socket.on("close", () => closed.resolve()).resume())
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve))
  const address = silent.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  const abort = new AbortController()
  silent.once("connection", () => abort.abort(new Error("deadline")))
  const call = minioObjects({ ...NOBODY, port }).get("bucket", "key", {
    bytesMax: 1,
    signal: abort.signal,
  })
  await expect(call).rejects.toThrow("deadline")
  await closed.promise
  silent.close()
})

const NOBODY = {
  ...{ host: "127.0.0.1", secure: false, region: "us-east-1" },
  ...{ accessKey: "nobody", secretKey: "not-a-secret" },
}

async function unusedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === "object" && address !== null ? address.port : 0
}
