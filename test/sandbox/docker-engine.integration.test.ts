import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type DockerEngine, openDockerEngine } from "../../src/sandbox/docker-engine.ts"
import { requireService } from "../support/services.ts"

const docker = await requireService("docker")
const REPOSITORY = "sentinel-engine-test"
const HOUR_MS = 3_600_000

describe.skipIf(docker === undefined)("openDockerEngine", () => {
  let directory: string
  let engine: DockerEngine

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "sentinel-engine-"))
    engine = openDockerEngine(docker?.dockerHost)
  })

  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  const bring = async (tag: string) => {
    const tarFile = join(directory, `${tag}.tar`)
    writeFileSync(tarFile, await new Bun.Archive({ [tag]: tag }).bytes())
    await engine.importImage(tarFile, REPOSITORY, tag)
  }
  const isThere = async (tag: string) =>
    (await engine.imageLayer(`${REPOSITORY}:${tag}`)) !== undefined

  test("removeImages keeps an image that is younger, and one that a container is made of", async () => {
    await Promise.all(["used", "unused"].map(bring))
    await engine.removeImages(REPOSITORY, HOUR_MS)
    expect(await Promise.all([isThere("used"), isThere("unused")])).toEqual([true, true])
    const container = await engine.create({ Image: `${REPOSITORY}:used`, Cmd: ["/used"] })
    await engine.removeImages(REPOSITORY, 0)
    expect(await Promise.all([isThere("used"), isThere("unused")])).toEqual([true, false])
    await engine.remove(container)
    await engine.removeImages(REPOSITORY, 0)
    expect(await isThere("used")).toBe(false)
  })
})
