import { buildSandboxImage, importSandboxImage } from "../compose/sandbox.ts"
import { readConfig } from "../config.ts"
import { publicError, SentinelError } from "../errors.ts"
import { renderTable } from "./table.ts"
import { endProgress, showProgress, type Terminal } from "./terminal.ts"

/**
 * Builds the image of the sandbox, or finds it built, and hands it to Docker where that answers.
 * @throws SandboxUnavailableError where this machine cannot build it
 */
export async function buildSandbox(
  options: { list?: boolean; json?: boolean },
  terminal: Terminal,
): Promise<number> {
  const { sandbox } = readConfig(terminal.env)
  const image = await buildSandboxImage(sandbox, (line) => showProgress(terminal, line))
  showProgress(terminal, "handing the image to Docker")
  const docker = await importSandboxImage(sandbox, image).catch(explain)
  endProgress(terminal)
  const { digest, rootDirectory, contents } = image
  if (options.json === true) {
    await terminal.write(`${JSON.stringify({ digest, docker, root: rootDirectory, contents })}\n`)
    return 0
  }
  await terminal.write(`image   ${digest}\ndocker  ${docker}\nroot    ${rootDirectory}\n`)
  if (options.list === true) {
    const rows = contents.map(({ path, mode, bytes }) => [mode, String(bytes), path])
    await terminal.write(renderTable([["MODE", "BYTES", "PATH"], ...rows]))
  }
  return 0
}

/** Without Docker the image serves bubblewrap all the same. */
function explain(error: unknown): string {
  if (error instanceof SentinelError) return `not there (${publicError(error).message})`
  throw error
}
