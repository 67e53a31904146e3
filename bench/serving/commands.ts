import { join, resolve } from "node:path"
import type { ServerCommand } from "./process.ts"

const SERVERS = join(import.meta.dir, "servers")
const MAIN = resolve(import.meta.dir, "../../src/main.ts")

/** What is measured, and what it is held against. */

export const sentinel: ServerCommand = {
  name: "sentinel",
  command: () => [process.execPath, MAIN, "serve"],
  env: sentinelEnv,
}

/** The same with its request handlers timed from inside. */
export function timedSentinel(timesFile: string): ServerCommand {
  const preload = join(SERVERS, "time-handlers.ts")
  return {
    name: "sentinel",
    command: () => [process.execPath, "--preload", preload, MAIN, "serve"],
    env: (place) => ({ ...sentinelEnv(place), TIMES_FILE: timesFile }),
  }
}

export const bare = bunServer("bare Bun.serve", "bare.ts")
export const elysia = bunServer("bare Elysia", "elysia.ts")

export function fastApi(command: readonly string[]): ServerCommand {
  return { name: "FastAPI", command: ({ port }) => [...command, String(port)] }
}

function bunServer(name: string, file: string): ServerCommand {
  return { name, command: ({ port }) => [process.execPath, join(SERVERS, file), String(port)] }
}

function sentinelEnv({ port, directory }: { readonly port: number; readonly directory: string }) {
  return { SENTINEL_PORT: String(port), SENTINEL_DATA_DIR: join(directory, "data") }
}
