import { rmSync } from "node:fs"
import { createApi } from "../api/app.ts"
import { listen, listenUnix } from "../api/listen.ts"
import type { ApiParts } from "../api/parts.ts"
import { systemClock } from "../clock.ts"
import type { Config } from "../config.ts"
import { ConfigInvalidError } from "../errors.ts"
import type { Logger } from "../log.ts"
import type { DataDirectoryPaths } from "../store/data-directory.ts"
import type { Telemetry } from "../telemetry.ts"
import { Cluster } from "./cluster.ts"
import type { ModelServer } from "./models/model-server.ts"
import { spawnWorker } from "./worker-process.ts"

export interface ServeClusterParts {
  readonly config: Config
  readonly log: Logger
  readonly paths: Pick<DataDirectoryPaths, "socket">
  readonly telemetry: Telemetry
  readonly models: ModelServer
  readonly api: ApiParts
}

/** What the kernel takes for the path of a Unix socket, the closing NUL left out. */
const SOCKET_PATH_BYTES_MAX = 107

/**
 * Serves the port by worker processes, and what they do not answer by themselves on a Unix socket that
 * this process listens on.
 *
 * @throws ConfigInvalidError where the data directory's path is too long for a socket
 * @throws UnavailableError where the port is taken or the workers do not come up
 */
export async function serveByCluster(
  parts: ServeClusterParts,
  stack: AsyncDisposableStack,
): Promise<Cluster> {
  const { config, log, paths, telemetry, models } = parts
  await checkPort(config)
  let cluster: Cluster | undefined
  const render = async () => {
    const own = await telemetry.snapshot()
    return cluster === undefined ? telemetry.render() : cluster.metrics.render(own)
  }
  openSocket(createApi({ ...parts.api, telemetry: { ...telemetry, render } }), paths.socket, stack)
  const started = await Cluster.start({
    ...{ count: config.apiWorkers, port: config.port, spawn: spawnWorker },
    ...{ clock: systemClock, random: Math.random, log },
    plan: () => models.snapshot(),
    onTraffic: (workerId, report) => models.receive(workerId, report),
    onRestarted: () => telemetry.workerRestarted(),
  })
  stack.defer(() => started.stop())
  stack.defer(models.subscribe((plan) => started.broadcast({ type: "plan", plan })))
  telemetry.watchWorkers(() => started.size)
  cluster = started
  return started
}

/** Workers share the port with whoever else shares it, silently: so it must be free before. */
async function checkPort(config: Config): Promise<void> {
  if (config.port === 0) return
  const nothing = { handle: () => new Response(), direct: {} }
  await listen(nothing, config).stop(0)
}

function openSocket(
  api: ReturnType<typeof createApi>,
  path: string,
  stack: AsyncDisposableStack,
): void {
  if (Buffer.byteLength(path) > SOCKET_PATH_BYTES_MAX) {
    throw new ConfigInvalidError([
      "SENTINEL_DATA_DIR: its path is too long for the socket of SENTINEL_API_WORKERS",
    ])
  }
  // left behind by a process that was killed; the lock of the directory says that nobody uses it
  rmSync(path, { force: true })
  const listening = listenUnix(api, path)
  stack.defer(async () => {
    await listening.stop()
    rmSync(path, { force: true })
  })
}
