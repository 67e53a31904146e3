import { runCommandLine } from "./commands/program.ts"
import type { Terminal } from "./commands/terminal.ts"

// A reader that has seen enough (`| head`) is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? 0 : 1)
})

const terminal: Terminal = {
  env: process.env,
  isWatched: process.stderr.isTTY === true,
  write: (text) =>
    new Promise((resolve) => {
      process.stdout.write(text, () => resolve())
    }),
  note: (text) => {
    process.stderr.write(text)
  },
  stopRequested: () =>
    new Promise((resolve) => {
      for (const signal of ["SIGTERM", "SIGINT"] as const) {
        process.once(signal, () => resolve())
      }
    }),
  onHangup: (listener) => {
    process.on("SIGHUP", listener)
  },
}

process.exit(await runCommandLine(process.argv.slice(2), terminal))
