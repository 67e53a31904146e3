import { describeTopology } from "../compose.ts"
import { readConfig } from "../config.ts"
import type { Terminal } from "./terminal.ts"

/** Prints the dataflow that this configuration would run. */
export async function topology(
  options: { mermaid?: boolean; json?: boolean },
  terminal: Terminal,
): Promise<number> {
  const described = describeTopology(readConfig(terminal.env))
  if (options.json === true) await terminal.write(`${JSON.stringify(described.json())}\n`)
  else
    await terminal.write(`${options.mermaid === true ? described.mermaid() : described.text()}\n`)
  return 0
}
