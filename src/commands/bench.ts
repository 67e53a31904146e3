import { join } from "node:path"
import type { Row, Suite } from "../../bench/harness.ts"
import { currentCommit, keepResult } from "../../bench/harness-results.ts"
import { UnavailableError } from "../errors.ts"
import { installCommand, type LocalServices, startServices } from "./local-services.ts"
import { REPOSITORY } from "./repository.ts"
import { renderTable } from "./table.ts"
import { endProgress, showProgress, type Terminal } from "./terminal.ts"

/**
 * Measures one suite, keeps its result and prints it.
 * @param name one of `benchSuites()`
 * @returns 1 where a goal is missed
 * @throws UnavailableError where a service that the suite needs is not installed
 */
export async function bench(
  name: string,
  options: { quick?: boolean; json?: boolean },
  terminal: Terminal,
): Promise<number> {
  const quick = options.quick === true
  const suite: Suite = await import(join(REPOSITORY, `bench/${name}.ts`))
  const rows = await withServices(suite.services, terminal, (env) =>
    suite.run({ quick, env, progress: (line) => showProgress(terminal, line) }),
  )
  endProgress(terminal)
  const result = { suite: name, commit: await currentCommit(REPOSITORY), rows }
  const kept = await keepResult(result, { repository: REPOSITORY, date: new Date(), quick })
  if (options.json === true) await terminal.write(`${JSON.stringify(result)}\n`)
  else await terminal.write(`${renderRows(rows)}\nkept in ${kept}\n`)
  return rows.some((row) => row.met === false) ? 1 : 0
}

async function withServices(
  names: readonly string[],
  terminal: Terminal,
  run: (env: LocalServices["env"]) => Promise<readonly Row[]>,
): Promise<readonly Row[]> {
  if (names.length === 0) return await run(terminal.env)
  const services = await startServices(names, terminal.env)
  try {
    if (services.missing.length > 0) {
      terminal.note(`sentinel: first run ${installCommand(services.missing)}\n`)
      throw new UnavailableError(services.missing.join(", "))
    }
    return await run(services.env)
  } finally {
    await services.stop()
  }
}

function renderRows(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.name,
    shown(row.value),
    row.unit,
    row.baseline === null ? "" : shown(row.baseline),
    row.ratio === null ? "" : shown(row.ratio),
    row.goal ?? "",
    row.met === null ? "" : row.met ? "met" : "MISSED",
  ])
  return renderTable([["name", "value", "unit", "baseline", "ratio", "goal", ""], ...cells])
}

/** Three significant digits, without an exponent. */
function shown(value: number): string {
  if (value === 0 || Math.abs(value) >= 100) return value.toFixed(0)
  return value.toFixed(Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value)))))
}
