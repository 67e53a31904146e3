import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { existsSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import {
  installCommand,
  missingServices,
  startServices,
} from "../../src/commands/local-services.ts"

/** A machine on which nothing is installed: the real script, over an empty cache. */
let cache: string
let env: Record<string, string>

beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), "sentinel-empty-cache-"))
  env = { PATH: Bun.env.PATH ?? "", HOME: cache, SENTINEL_SERVICES_CACHE: cache }
})

afterEach(async () => {
  await rm(cache, { recursive: true, force: true })
})

describe("local services", () => {
  test("missingServices names what is not installed, in the order asked", async () => {
    expect(await missingServices(["minio", "kafka"], env)).toEqual(["minio", "kafka"])
    expect(await missingServices([], env)).toEqual([])
  })

  test("missingServices counts a name that the script does not know as missing", async () => {
    expect(await missingServices(["no-such-service"], env)).toEqual(["no-such-service"])
  })

  test("startServices hides configured addresses, and leaves no directory behind", async () => {
    const configured = { KAFKA_BOOTSTRAP_SERVERS: "production:9092", MINIO_SECRET_KEY: "secret" }
    const services = await startServices(["kafka"], { ...env, ...configured })
    const place = services.env.SENTINEL_SERVICES_DATA ?? ""
    expect(services.missing).toEqual(["kafka"])
    expect(services.env.KAFKA_BOOTSTRAP_SERVERS).toBeUndefined()
    expect(services.env.MINIO_SECRET_KEY).toBeUndefined()
    expect(existsSync(place)).toBe(true)
    await services.stop()
    expect(existsSync(place)).toBe(false)
  })

  test("installCommand is one command for all", () => {
    expect(installCommand(["kafka", "k6"])).toBe("scripts/services install kafka k6")
  })
})
