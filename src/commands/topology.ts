import type { RunningTopology } from "../compose/running-topology.ts"
import { describeTopology } from "../compose/topology.ts"
import { readConfig } from "../config.ts"
import { type Topology, topologyMermaid, topologyText } from "../stream/topology.ts"
import { terminalLog } from "./log.ts"
import { RefusedError, runningOperations } from "./operations.ts"
import { renderTable } from "./table.ts"
import type { Terminal } from "./terminal.ts"

export interface TopologyOptions {
  readonly mermaid?: boolean
  readonly json?: boolean
  readonly live?: boolean
}

const REFRESH_MS = 2_000
const CLEAR_SCREEN = "\u001b[H\u001b[2J"

/**
 * Prints the dataflow: as the running server reports it, else as this configuration would run it.
 * @returns 0, or 1 for --live where no flow runs
 */
export async function topology(options: TopologyOptions, terminal: Terminal): Promise<number> {
  const config = readConfig(terminal.env)
  const running = runningOperations(config)
  if (running === undefined && options.live === true) {
    terminal.note("no server runs on this data directory: ./sentinel start runs one\n")
    return 1
  }
  const ask = async () => (await running?.get("/topology")) as RunningTopology
  const described = await (running && ask())?.catch((error) => {
    // a server that runs no flow (serve) still has a configuration
    if (options.live === true || !(error instanceof RefusedError)) throw error
    return undefined
  })
  await terminal.write(
    render(described ?? (await describeTopology(config, terminalLog(terminal))), options),
  )
  if (options.live === true && terminal.isWatched) await refresh(ask, options, terminal)
  return 0
}

/** Until somebody stops it. @throws UnavailableError once the server is gone */
async function refresh(
  ask: () => Promise<RunningTopology>,
  options: TopologyOptions,
  terminal: Terminal,
): Promise<void> {
  let stopped = false
  const stop = terminal.stopRequested().then(() => {
    stopped = true
  })
  for (;;) {
    await Promise.race([Bun.sleep(REFRESH_MS), stop])
    if (stopped) return
    await terminal.write(`${CLEAR_SCREEN}${render(await ask(), options)}`)
  }
}

function render(described: Topology | RunningTopology, options: TopologyOptions): string {
  if (options.json === true) return `${JSON.stringify(described)}\n`
  if (options.mermaid === true) return topologyMermaid(described)
  const graph = topologyText(described)
  return "running" in described ? `${graph}\n${activityText(described)}` : graph
}

function activityText({ nodes, running }: RunningTopology): string {
  const rows = nodes.flatMap(({ id, activity }) =>
    activity === undefined
      ? []
      : [
          [
            `  ${id}`,
            activity.records_per_second.toFixed(1),
            percent(activity.utilisation),
            percent(activity.backpressure),
            String(activity.inside),
            String(activity.waiting),
          ],
        ],
  )
  const header = ["  operator", "records/s", "used", "waits", "inside", "waiting"]
  const partitions = running.partitions.map((one) => [
    `  ${one.topic}/${one.partition}`,
    `${one.records} records`,
    `${one.seconds.toFixed(1)} s`,
    percent(one.held_ratio),
    one.committed ?? "-",
  ])
  const lagHeader = ["  partition", "lag", "oldest", "held", "committed"]
  const where = running.waits_at === null ? "nothing waits" : `records wait at ${running.waits_at}`
  const { simulations } = running
  const queue =
    simulations === null
      ? "not known yet"
      : `${simulations.ready} ready, ${simulations.leased} leased, ${simulations.dropped} dropped`
  return [
    `the last ${running.window_seconds.toFixed(0)} s: ${running.in_flight} in flight, ${where}\n`,
    renderTable([header, ...rows]),
    renderTable([lagHeader, ...partitions]),
    `simulation queue: ${queue}\n`,
  ].join("\n")
}

function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(0)}%`
}
