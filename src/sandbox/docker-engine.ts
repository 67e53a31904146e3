import { createReadStream } from "node:fs"
import { PassThrough } from "node:stream"
import Docker from "dockerode"
import { SandboxUnavailableError } from "../errors.ts"
import { LineChannel } from "./line-channel.ts"

const DEFAULT_SOCKET = "/var/run/docker.sock"
const CALL_TIMEOUT_MS = 30_000
const IMPORT_TIMEOUT_MS = 300_000

export type ContainerOptions = Docker.ContainerCreateOptions

export interface ContainerSummary {
  readonly id: string
  readonly isRunning: boolean
  readonly labels: Readonly<Record<string, string>>
}

export interface ContainerState {
  /** Of PID 1 as the engine's machine counts; undefined once it has ended. */
  readonly pid: number | undefined
  readonly exitCode: number | undefined
  readonly outOfMemory: boolean
}

export interface EngineInfo {
  readonly runtimes: readonly string[]
  /** e.g. `name=seccomp,profile=default`, `name=userns`. */
  readonly securityOptions: readonly string[]
}

/**
 * The calls of a Docker engine that the sandbox needs, each bounded in time.
 *
 * Every one throws SandboxUnavailableError where the engine does not answer or refuses.
 */
export interface DockerEngine {
  /** As people write it, e.g. `unix:///var/run/docker.sock`. */
  readonly address: string
  info(): Promise<EngineInfo>
  /** Digest of the one layer of an image, `sha256:<hex>`; undefined where there is no such image. */
  imageLayer(reference: string): Promise<string | undefined>
  importImage(tarFile: string, repository: string, tag: string): Promise<void>
  /** Removes the images of a repository that are as old and that no container is made of. */
  removeImages(repository: string, olderThanMs: number): Promise<void>
  create(options: ContainerOptions): Promise<string>
  /** Attaches to standard input and output, which must happen before `start`. */
  attach(id: string): Promise<LineChannel>
  start(id: string): Promise<void>
  state(id: string): Promise<ContainerState>
  kill(id: string): Promise<void>
  /** Kills and removes; nothing happens where it is gone already. */
  remove(id: string, signal?: AbortSignal): Promise<void>
  list(label: string, signal?: AbortSignal): Promise<readonly ContainerSummary[]>
}

/**
 * @param dockerHost `unix://PATH` or `tcp://HOST:PORT`, as in DOCKER_HOST; default the usual socket
 * @throws SandboxUnavailableError for an address of another kind
 */
export function openDockerEngine(dockerHost: string | undefined): DockerEngine {
  const address = dockerHost ?? `unix://${DEFAULT_SOCKET}`
  return new ModemEngine(address)
}

function connectionOf(address: string): Docker.DockerOptions {
  const socket = /^unix:\/\/(\/.{1,107})$/.exec(address)?.[1]
  if (socket !== undefined) return { socketPath: socket }
  const [, host, port] = /^tcp:\/\/([A-Za-z0-9._-]{1,253}):(\d{1,5})\/?$/.exec(address) ?? []
  if (host === undefined) {
    throw new SandboxUnavailableError("DOCKER_HOST: expected unix://PATH or tcp://HOST:PORT")
  }
  return { protocol: "http", host, port: Number(port) }
}

class ModemEngine implements DockerEngine {
  readonly address: string
  readonly #docker: Docker
  readonly #importer: Docker

  constructor(address: string) {
    this.address = address
    const connection = connectionOf(address)
    this.#docker = new Docker({ ...connection, timeout: CALL_TIMEOUT_MS })
    this.#importer = new Docker({ ...connection, timeout: IMPORT_TIMEOUT_MS })
  }

  info(): Promise<EngineInfo> {
    return answered("info", async () => {
      const info = await this.#docker.info()
      return {
        runtimes: Object.keys(info.Runtimes ?? {}),
        securityOptions: info.SecurityOptions ?? [],
      }
    })
  }

  imageLayer(reference: string): Promise<string | undefined> {
    return answered("image inspect", async () => {
      const image = await this.#docker.getImage(reference).inspect().catch(unlessMissing)
      return image?.RootFS.Layers?.length === 1 ? image.RootFS.Layers[0] : undefined
    })
  }

  importImage(tarFile: string, repository: string, tag: string): Promise<void> {
    return answered("image import", async () => {
      const tar = createReadStream(tarFile)
      const progress = await this.#importer.importImage(tar, { repo: repository, tag })
      for await (const _ of progress) {
        // the engine answers as it goes: the import is over when its answer is
      }
    })
  }

  removeImages(repository: string, olderThanMs: number): Promise<void> {
    return answered("image remove", async () => {
      const images = await this.#docker.listImages({ filters: { reference: [repository] } })
      const newestMs = Date.now() - olderThanMs
      const old = images.filter(({ Created: seconds }) => seconds * 1_000 <= newestMs)
      for (const reference of old.flatMap(({ RepoTags: names }) => names ?? [])) {
        await this.#docker.getImage(reference).remove().catch(unlessMissing)
      }
    })
  }

  create(options: ContainerOptions): Promise<string> {
    return answered("create", async () => (await this.#docker.createContainer(options)).id)
  }

  attach(id: string): Promise<LineChannel> {
    return answered("attach", async () => {
      const stream = await this.#docker.getContainer(id).attach({
        ...{ stream: true, hijack: true },
        ...{ stdin: true, stdout: true, stderr: true },
      })
      const channel = new LineChannel((text) => stream.write(text))
      const output = new PassThrough()
      output.on("data", (chunk: Buffer) => channel.feed(chunk))
      // What a twin says on stderr is for nobody: it is read so that it cannot fill a pipe.
      this.#docker.modem.demuxStream(stream, output, new PassThrough().resume())
      for (const event of ["end", "close", "error"]) stream.on(event, () => channel.end())
      return channel
    })
  }

  async start(id: string): Promise<void> {
    await answered("start", () => this.#docker.getContainer(id).start())
  }

  state(id: string): Promise<ContainerState> {
    return answered("inspect", async () => {
      const { State: state } = await this.#docker.getContainer(id).inspect()
      return {
        pid: state.Pid > 0 ? state.Pid : undefined,
        exitCode: state.Running ? undefined : state.ExitCode,
        outOfMemory: state.OOMKilled,
      }
    })
  }

  async kill(id: string): Promise<void> {
    await answered("kill", () => this.#docker.getContainer(id).kill().catch(unlessMissing))
  }

  async remove(id: string, signal?: AbortSignal): Promise<void> {
    const options = { force: true, v: true, ...(signal && { abortSignal: signal }) }
    await answered("remove", () =>
      this.#docker.getContainer(id).remove(options).catch(unlessMissing),
    )
  }

  list(label: string, signal?: AbortSignal): Promise<readonly ContainerSummary[]> {
    return answered("list", async () => {
      const containers = await this.#docker.listContainers({
        all: true,
        filters: { label: [label] },
        ...(signal && { abortSignal: signal }),
      })
      return containers.map(({ Id: id, State: state, Labels: labels }) => {
        return { id, isRunning: state === "running", labels }
      })
    })
  }
}

/**
 * 404: it is gone. 409: it is not running, its removal is on its way, or it is an image that is in
 * use. All of them are as it should be.
 */
function unlessMissing(error: unknown): undefined {
  const status = error instanceof Error && "statusCode" in error ? error.statusCode : undefined
  if (status === 404 || status === 409) return undefined
  throw error
}

async function answered<T>(call: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw new SandboxUnavailableError(problemOf(call, error), error)
  }
}

/** The status is the engine's; its message may hold paths, and stays in the cause. */
function problemOf(call: string, error: unknown): string {
  const status = error instanceof Error && "statusCode" in error ? error.statusCode : undefined
  return typeof status === "number"
    ? `Docker refused a call (${call}, status ${status})`
    : `Docker does not answer (${call})`
}
