import { afterAll, describe, expect, test } from "bun:test"
import { mkdtempSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { ModelRefusedError, UnavailableError } from "../../src/errors.ts"
import { modelRegistryFile } from "../../src/store/model-registry.ts"

const directory = mkdtempSync(join(tmpdir(), "sentinel-registry-"))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const CHILD = join(import.meta.dir, "registry-child.ts")

/** A state that is recognised by its revision, whatever else happens to it. */
function stateOf(revision: number) {
  const live = `payload-linear/1.0.${revision}`
  return {
    plan: { revision, live, lastGood: undefined, trial: undefined },
    models: { [live]: { state: "live" as const, transitions: [] } },
  }
}

describe("modelRegistryFile", () => {
  test("modelRegistryFile reads what it wrote, for its owner alone, and nothing before that", () => {
    const path = join(directory, "models", "registry.json")
    const store = modelRegistryFile(path)
    expect(store.read()).toBeUndefined()
    store.write(stateOf(3))
    expect(store.read()).toEqual(stateOf(3))
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  test.each([
    "",
    "[]",
    "null",
    '{"format":1}',
    '{"format":2,"plan":{"live":"a","revision":1},"models":{}}',
    '{"format":1,"plan":{"live":7,"revision":1},"models":{}}',
    '{"format":1,"plan":{"live":"a","revision":1,"trial":{"mode":"x"}},"models":{}}',
    '{"format":1,"plan":{"live":"a","revision":1},"models":{"a":{"state":1}}}',
  ])("modelRegistryFile refuses the file %p", async (text) => {
    const path = join(directory, "odd.json")
    await Bun.write(path, text)
    expect(() => modelRegistryFile(path).read()).toThrow(ModelRefusedError)
  })

  test("modelRegistryFile leaves the old state where it cannot write", async () => {
    const path = join(directory, "blocked", "registry.json")
    const store = modelRegistryFile(path)
    store.write(stateOf(1))
    await Bun.write(`${path}.tmp/in-the-way`, "")
    expect(() => store.write(stateOf(2))).toThrow(UnavailableError)
    expect(store.read()?.plan.revision).toBe(1)
  })

  test("modelRegistryFile holds a whole state, no older than the last one told, after kill -9", async () => {
    const path = join(directory, "killed", "registry.json")
    for (const written of [5, 40]) {
      const child = Bun.spawn(["bun", CHILD, path], { stdout: "pipe" })
      const told = await readUntil(child.stdout, written)
      child.kill("SIGKILL")
      await child.exited
      const revision = modelRegistryFile(path).read()?.plan.revision ?? -1
      expect(revision).toBeGreaterThanOrEqual(told)
    }
  })
})

/** The last number of the child's lines, once it has written as many. */
async function readUntil(stream: ReadableStream<Uint8Array>, lines: number): Promise<number> {
  let text = ""
  for await (const chunk of stream) {
    text += new TextDecoder().decode(chunk)
    const numbers = text.split("\n").slice(0, -1)
    if (numbers.length >= lines) return Number(numbers.at(-1))
  }
  throw new Error("the child ended")
}
