import { afterAll, beforeAll, expect, test } from "bun:test"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { type Running, startSentinel } from "../../src/compose/server.ts"
import { readConfig } from "../../src/config.ts"
import { createLogger } from "../../src/log.ts"
import { requireService } from "../support/services.ts"

const inferenceClient = await requireService("inference-client")

const SCRIPT = resolve(import.meta.dir, "../support/inference-client/ask.py")

let directory: string
let running: Running

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "sentinel-inference-"))
  const env = { SENTINEL_PORT: "0", SENTINEL_DATA_DIR: join(directory, "data") }
  const log = createLogger({ write: () => undefined, nowMs: Date.now, level: "error" })
  running = await startSentinel(readConfig(env), "serve", log)
})

afterAll(async () => {
  await running.stop()
  await rm(directory, { recursive: true, force: true })
})

test.skipIf(inferenceClient === undefined)(
  "createApi is understood by a client of Triton: health, metadata, JSON, binary tensors, errors",
  async () => {
    const { models } = await (await fetch(`${running.url}/v2/models`)).json()
    const { versions } = await (await fetch(`${running.url}/v2/models/${models[0]}`)).json()
    const address = running.url?.replace("http://", "") ?? ""
    const child = Bun.spawn(
      [inferenceClient?.python ?? "", SCRIPT, address, models[0], versions[0]],
      { stdout: "pipe", stderr: "inherit" },
    )
    const answer = JSON.parse(await new Response(child.stdout).text())
    const judged = {
      classes: ["sql_injection", "benign"],
      shape: [2, 6],
      sums: [expect.closeTo(1, 9), expect.closeTo(1, 9)],
      confidence: [expect.any(Number), expect.any(Number)],
    }
    expect(answer).toEqual({
      ...{ live: true, ready: true, model_ready: true, other_ready: false },
      extensions: ["binary_tensor_data"],
      versions,
      binary: { id: "42", ...judged },
      json: { id: null, ...judged },
      errors: [
        "[404] no such model or version is served",
        expect.stringMatching(/^\[422] inputs: /),
        expect.stringMatching(/^\[404] /),
      ],
    })
  },
)
