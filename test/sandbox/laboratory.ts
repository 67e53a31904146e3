import { randomUUID } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { homedir, tmpdir } from "node:os"
import { join } from "node:path"
import { createBubblewrapDriver } from "../../src/sandbox/bubblewrap-driver.ts"
import { createDockerDriver } from "../../src/sandbox/docker-driver.ts"
import { openDockerEngine } from "../../src/sandbox/docker-engine.ts"
import { buildImage, type SandboxImage } from "../../src/sandbox/image/build-image.ts"
import { ensureImage } from "../../src/sandbox/image/docker-image.ts"
import { instanceOf } from "../../src/sandbox/instance.ts"
import { createSandbox, type PreparedSandbox } from "../../src/sandbox/open-sandbox.ts"
import type { SandboxDriver, TwinHost } from "../../src/sandbox/twin-host.ts"
import type { SimulatedClass, TwinRequest } from "../../src/twin-protocol.ts"
import type { Probe } from "./prober.ts"

const CACHE = join(homedir(), ".cache/sentinel/test-sandbox")
const PROBER = join(import.meta.dir, "prober.ts")
const START_MS = 20_000
const PROBE_MS = 30_000

/** The image that the drivers get here: the same, but with the prober where the twins would be. */
export function proberImage(): Promise<SandboxImage> {
  return buildImage(
    {
      twinSource: PROBER,
      sources: [PROBER],
      files: [],
      init: "/usr/bin/dash",
      programs: { "/opt/canary/shells/dash": "/usr/bin/dash" },
    },
    { cacheDirectory: CACHE },
  )
}

export type LaboratoryDriver = "docker" | "bubblewrap"

/** A driver as Sentinel makes it, and a directory for its state that is gone at the end. */
export interface Laboratory {
  readonly name: LaboratoryDriver
  readonly driver: SandboxDriver
  readonly instance: string
  readonly dockerHost: string | undefined
  readonly audited: string[]
  start(twinClass?: SimulatedClass): Promise<TwinHost>
  close(): void
}

export async function openLaboratory(
  name: LaboratoryDriver,
  dockerHost: string | undefined,
): Promise<Laboratory> {
  const stateDirectory = mkdtempSync(join(tmpdir(), "sentinel-sandbox-"))
  const instance = instanceOf(stateDirectory)
  const audited: string[] = []
  const audit = (eventType: string) => Promise.resolve(void audited.push(eventType))
  const common = { instance, audit, notes: [] }
  const image = await proberImage()
  const driver =
    name === "docker"
      ? await dockerDriver(dockerHost, image, common)
      : createBubblewrapDriver({ ...common, ...image })
  return {
    ...{ name, driver, instance, dockerHost, audited },
    start: (twinClass = "sql_injection") => driver.start(twinClass, AbortSignal.timeout(START_MS)),
    close: () => rmSync(stateDirectory, { recursive: true, force: true }),
  }
}

async function dockerDriver(
  dockerHost: string | undefined,
  image: SandboxImage,
  common: Pick<Parameters<typeof createDockerDriver>[0], "instance" | "audit" | "notes">,
): Promise<SandboxDriver> {
  const engine = openDockerEngine(dockerHost)
  return createDockerDriver({
    ...common,
    ...{ engine, runtime: "runc", image: await ensureImage(engine, image) },
  })
}

/** Asks a prober; undefined where it is gone. */
export async function probe<Answer>(host: TwinHost, question: Probe): Promise<Answer | undefined> {
  host.channel.send(JSON.stringify(question))
  const line = await host.channel.receive(AbortSignal.timeout(PROBE_MS))
  return line === undefined ? undefined : JSON.parse(line)
}

/** A request whose payload the prober takes for its orders. */
export function proberRequest(question: Probe): TwinRequest {
  return {
    ...{ id: randomUUID(), class: "sql_injection", payload: JSON.stringify(question) },
    ...{ location: "query:q", canary: "0123456789abcdef".repeat(2), budgetMs: 1_000 },
  }
}

/** The whole sandbox over a prober, with its state where the caller says. */
export function proberSandbox(options: {
  readonly mode: LaboratoryDriver
  readonly dockerHost: string | undefined
  readonly stateDirectory: string
  readonly audit?: (eventType: string) => Promise<void>
}): PreparedSandbox {
  return createSandbox({
    ...options,
    audit: options.audit ?? (() => Promise.resolve()),
    image: proberImage,
    ...{ busyMax: 4, warmMax: 1, timeoutMsMax: 300_000 },
    onError: () => undefined,
  })
}
