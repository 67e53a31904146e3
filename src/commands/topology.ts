import { describeTopology } from "../compose/topology.ts"
import { readConfig } from "../config.ts"
import { topologyMermaid, topologyText } from "../stream/topology.ts"
import { terminalLog } from "./log.ts"
import type { Terminal } from "./terminal.ts"

/** Prints the dataflow that this configuration would run. */
export async function topology(
  options: { mermaid?: boolean; json?: boolean },
  terminal: Terminal,
): Promise<number> {
  const described = await describeTopology(readConfig(terminal.env), terminalLog(terminal))
  await terminal.write(render(described, options))
  return 0
}

function render(
  topology: Awaited<ReturnType<typeof describeTopology>>,
  options: { mermaid?: boolean; json?: boolean },
): string {
  if (options.json === true) return `${JSON.stringify(topology)}\n`
  return options.mermaid === true ? topologyMermaid(topology) : topologyText(topology)
}
