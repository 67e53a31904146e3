import packageDocument from "../../package.json"
import { checkEverything } from "./doctor-checks.ts"
import type { Finding } from "./finding.ts"
import { renderTable } from "./table.ts"
import type { Terminal } from "./terminal.ts"

/**
 * Tells in one screen what is configured, reachable and missing, and what to do about it.
 * @returns 1 where something that is configured does not work
 */
export async function doctor(terminal: Terminal): Promise<number> {
  const findings = await checkEverything(terminal.env)
  const rows = findings.map(({ state, subject, detail }) => [`  ${state}`, subject, detail])
  await terminal.write(`Sentinel ${packageDocument.version}\n\n${renderTable(rows)}`)
  const remedies = findings.flatMap(remedyLine)
  if (remedies.length > 0) await terminal.write(`\nWhat to do:\n${remedies.join("")}`)
  return findings.some(({ state }) => state === "FAILED") ? 1 : 0
}

function remedyLine({ subject, remedy }: Finding): readonly string[] {
  return remedy === undefined ? [] : [`  ${subject}: ${remedy}\n`]
}
