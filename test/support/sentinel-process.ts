import { join, resolve } from "node:path"

const MAIN = resolve(import.meta.dir, "../../src/main.ts")
const LIFETIME_MS_MAX = 120_000

interface Environment {
  readonly SENTINEL_DATA_DIR: string
  readonly [variable: string]: string
}

/** `./sentinel ARGUMENTS` as a process, on any free port and without a sandbox; killed after 2 minutes. */
export function spawnSentinel(args: readonly string[], environment: Environment) {
  return Bun.spawn([process.execPath, "--no-env-file", MAIN, ...args], {
    // not the repository: nothing may depend on where it is started
    cwd: join(environment.SENTINEL_DATA_DIR, ".."),
    env: {
      PATH: Bun.env.PATH ?? "",
      ...{ SENTINEL_PORT: "0", SENTINEL_SANDBOX: "none" },
      ...environment,
    },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: LIFETIME_MS_MAX,
    killSignal: "SIGKILL",
  })
}
