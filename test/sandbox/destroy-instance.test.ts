import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { destroyInstance, panicInstance } from "../../src/sandbox/destroy-instance.ts"
import { instanceOf } from "../../src/sandbox/instance.ts"

/** A panic with an engine that is half broken, which a real one is not on demand. */

const CONTAINER = "0123456789abcdef".repeat(4)

describe("panicInstance", () => {
  let directory: string
  let socket: string

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "sentinel-panic-"))
    socket = join(directory, "docker.sock")
    instanceOf(directory)
    writeFileSync(join(directory, "docker-host"), `unix://${socket}\n`)
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  test("is clean where no container was ever made", async () => {
    rmSync(join(directory, "docker-host"))
    expect(await destroyInstance(directory)).toEqual({ isClean: true, destroyed: 0, left: [] })
  })

  test("says that Docker does not answer where there is no engine", async () => {
    const { isClean, left } = await panicInstance(directory, "a test")
    expect(isClean).toBe(false)
    expect(left).toEqual([expect.stringContaining(`Docker does not answer at unix://${socket}`)])
  })

  test("says so, in bounded time, where the engine takes calls and never answers", async () => {
    const server = createServer(() => undefined)
    await new Promise<void>((resolve) => server.listen(socket, resolve))
    const { isClean, left } = await panicInstance(directory, "a test")
    expect(isClean).toBe(false)
    expect(left[0]).toContain("Docker does not answer")
    server.close()
  }, 20_000)

  test("names the container that the engine does not remove", async () => {
    await using _ = engine(() => new Response("{}", { status: 500 }))
    const { isClean, destroyed, left } = await panicInstance(directory, "a test")
    expect({ isClean, destroyed }).toEqual({ isClean: false, destroyed: 0 })
    expect(left).toEqual([`container ${CONTAINER.slice(0, 12)} is still running`])
  }, 20_000)

  test("is clean once a removal that was under way is over", async () => {
    let asked = 0
    await using _ = engine(
      () => {
        asked++
        return new Response("{}", { status: 409 })
      },
      () => asked < 3,
    )
    expect(await panicInstance(directory, "a test")).toMatchObject({ isClean: true, destroyed: 1 })
  })

  /** Answers with one container as long as `isThere`, and to its removal as told. */
  function engine(remove: () => Response, isThere: () => boolean = () => true) {
    const container = { Id: CONTAINER, State: "running", Labels: {} }
    const server = Bun.serve({
      unix: socket,
      fetch: ({ method }) =>
        method === "DELETE" ? remove() : Response.json(isThere() ? [container] : []),
    })
    return { [Symbol.asyncDispose]: () => server.stop(true) }
  }
})
