import { tmpdir } from "node:os"
import { SIMULATED_CLASSES } from "../twin-protocol.ts"
import { runTwin } from "./run-twin.ts"
import { serveTwins } from "./serve-twins.ts"
import { isAlone } from "./stray-processes.ts"
import { isSimulatedClass } from "./twin-request.ts"

/**
 * A child lives for milliseconds, most of which would go into machine code that it hardly runs. A
 * loop that a payload makes long is still compiled, by the first of the two compilers.
 *
 * @see Source/JavaScriptCore/runtime/OptionsList.h of WebKit
 */
const ENGINE_OPTIONS = {
  BUN_JSC_useDFGJIT: "0",
  BUN_JSC_thresholdForJITAfterWarmUp: "20000",
  BUN_JSC_thresholdForJITSoon: "20000",
} as const

/**
 * The program inside the sandbox: `twin serve [--alone] [CLASS...]` answers many requests, each in a
 * child of its own, `twin run CLASS` answers one. With `--alone` every other process of its PID
 * namespace ends with each request: for a sandbox only, where it is the one that PID 1 started. See
 * docs/SANDBOX.md.
 */
const [mode = "", ...words] = process.argv.slice(2)
const endsOthers = mode === "serve" && words[0] === "--alone"
const names = endsOthers ? words.slice(1) : words
const classes = names.filter(isSimulatedClass)
const [first] = classes

if (classes.length !== names.length || (endsOthers && !isAlone())) printUsage()
else if (mode === "serve") await serve()
else if (mode === "run" && first !== undefined && names.length === 1) {
  await runTwin(first, process.cwd())
} else printUsage()
process.exit()

function serve(): Promise<void> {
  return serveTwins({
    classes: classes.length > 0 ? classes : SIMULATED_CLASSES,
    command: isCompiled() ? [process.execPath] : [process.execPath, Bun.main],
    env: { PATH: process.env.PATH ?? "/usr/bin:/bin", ...ENGINE_OPTIONS },
    endsOthers,
    workDirectory: process.env.TWIN_WORK_DIR ?? tmpdir(),
  })
}

/** A compiled program finds its own source in a file system inside itself. */
function isCompiled(): boolean {
  return Bun.main.startsWith("/$bunfs/")
}

function printUsage(): void {
  process.stderr.write(`usage: twin serve [--alone] [CLASS...] | twin run CLASS\n`)
  process.exitCode = 2
}
