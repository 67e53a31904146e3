import { tmpdir } from "node:os"
import { SIMULATED_CLASSES } from "../twin-protocol.ts"
import { runTwin } from "./run-twin.ts"
import { serveTwins } from "./serve-twins.ts"
import { isSimulatedClass } from "./twin-request.ts"

/**
 * The program inside the sandbox: `twin serve [CLASS...]` answers many requests, each in a child of
 * its own, `twin run CLASS` answers one. See docs/SANDBOX.md.
 */
const [mode = "", ...names] = process.argv.slice(2)
const classes = names.filter(isSimulatedClass)
const [first] = classes

if (classes.length !== names.length) refuse()
else if (mode === "serve") await serve()
else if (mode === "run" && first !== undefined && names.length === 1) {
  await runTwin(first, process.cwd())
} else refuse()
process.exit()

function serve(): Promise<void> {
  return serveTwins({
    classes: classes.length > 0 ? classes : SIMULATED_CLASSES,
    command: isCompiled() ? [process.execPath] : [process.execPath, Bun.main],
    env: { PATH: process.env.PATH ?? "/usr/bin:/bin" },
    workDirectory: process.env.TWIN_WORK_DIR ?? tmpdir(),
  })
}

/** A compiled program finds its own source in a file system inside itself. */
function isCompiled(): boolean {
  return Bun.main.startsWith("/$bunfs/")
}

function refuse(): void {
  process.stderr.write(`usage: twin serve [CLASS...] | twin run CLASS\n`)
  process.exitCode = 2
}
