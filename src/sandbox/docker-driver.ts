import { SandboxUnavailableError } from "../errors.ts"
import type { SandboxDescription } from "../ports/sandbox.ts"
import type { SimulatedClass } from "../twin-protocol.ts"
import { controlGroupOf, type GroupReader } from "./control-group.ts"
import type { ContainerSummary, DockerEngine } from "./docker-engine.ts"
import { containerOptions } from "./docker-hardening.ts"
import { isDeadOwner, LABELS, ownerLabel, ownOwner } from "./instance.ts"
import { describeLimits, TWIN_LIMITS_BY_CLASS } from "./limits.ts"
import {
  type Audit,
  type HostUsage,
  isReady,
  type SandboxDriver,
  shortId,
  type TwinHost,
} from "./twin-host.ts"

export interface DockerDriverOptions {
  readonly engine: DockerEngine
  readonly instance: string
  /** Reference and digest of the image, which the engine holds. */
  readonly image: { readonly reference: string; readonly digest: string }
  readonly runtime: string
  readonly audit: Audit
  readonly notes: readonly string[]
}

/** Twins in hardened containers, one container for many runs of one class. */
export function createDockerDriver(options: DockerDriverOptions): SandboxDriver {
  return {
    describe: (twinClass) => describeDocker(options, twinClass),
    start: (twinClass, signal) => startContainer(options, twinClass, signal),
    reap: () => reapContainers(options),
  }
}

function describeDocker(
  { runtime, image, notes }: DockerDriverOptions,
  twinClass: SimulatedClass = "sql_injection",
): SandboxDescription {
  const limits = describeLimits(TWIN_LIMITS_BY_CLASS[twinClass])
  return { driver: "docker", runtime, imageDigest: image.digest, limits, notes }
}

async function startContainer(
  options: DockerDriverOptions,
  twinClass: SimulatedClass,
  signal: AbortSignal,
): Promise<TwinHost> {
  const { engine, instance, image, runtime, audit } = options
  const limits = TWIN_LIMITS_BY_CLASS[twinClass]
  const plan = {
    class: twinClass,
    instance,
    image: image.reference,
    runtime,
    limits,
  }
  const id = await engine.create(containerOptions(plan))
  const host = shortId(id)
  try {
    await audit("created", {
      ...{ host, class: twinClass, image: image.digest, runtime, limits: describeLimits(limits) },
    })
    const channel = await engine.attach(id)
    await audit("started", { host })
    await engine.start(id)
    if (!(await isReady(channel, signal))) {
      throw new SandboxUnavailableError("the twin did not get ready")
    }
    const { pid } = await engine.state(id)
    const group = pid === undefined ? undefined : controlGroupOf(pid, id)
    return dockerHost(engine, { id, class: twinClass, channel, group })
  } catch (error) {
    await engine.remove(id).catch(() => undefined) // the reaper takes what this cannot
    throw error
  }
}

interface StartedContainer extends Pick<TwinHost, "id" | "class" | "channel"> {
  /** undefined where the engine runs on another machine. */
  readonly group: GroupReader | undefined
}

function dockerHost(engine: DockerEngine, { group, ...host }: StartedContainer): TwinHost {
  return {
    ...host,
    usage: () => containerUsage(engine, { group, ...host }),
    kill: () => engine.kill(host.id),
    async destroy() {
      await engine.remove(host.id)
      host.channel.end()
    },
  }
}

/** From the control group while the container runs; how it ended is only known to the engine. */
async function containerUsage(
  engine: DockerEngine,
  { id, channel, group }: StartedContainer,
): Promise<HostUsage> {
  const { cpuMs, memoryPeakBytes, outOfMemoryKills } = group?.() ?? {}
  const isRunning = channel.ended === undefined && outOfMemoryKills !== undefined
  const state = isRunning ? undefined : await engine.state(id)
  const outOfMemory = state?.outOfMemory === true || (outOfMemoryKills ?? 0) > 0
  return { cpuMs, memoryPeakBytes, exitCode: state?.exitCode, outOfMemory }
}

/** Ours are leftovers of a process that died; others' only where their owner is known to be dead. */
async function reapContainers({ engine, instance, audit }: DockerDriverOptions): Promise<number> {
  const found = await engine.list(LABELS.instance)
  const leftovers = found.filter((container) => isLeftover(container, instance))
  for (const { id } of leftovers) {
    await engine.remove(id)
    await audit("destroyed", { host: shortId(id), reason: "leftover" })
  }
  return leftovers.length
}

function isLeftover({ labels }: ContainerSummary, instance: string): boolean {
  const owner = labels[LABELS.owner]
  const isOwn = owner === ownerLabel(ownOwner())
  return (labels[LABELS.instance] === instance && !isOwn) || isDeadOwner(owner)
}
