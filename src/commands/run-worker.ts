import type { FromWorker, ToWorker } from "../compose/cluster-messages.ts"
import { type OwnerChannel, runApiWorker } from "../compose/worker.ts"
import { readConfig } from "../config.ts"
import { terminalLog } from "./log.ts"
import { logRuntimeWarnings } from "./runtime-warnings.ts"
import type { Terminal } from "./terminal.ts"

/**
 * Runs an API worker for the process that started it. A signal that a terminal sends to all of them
 * is left to that process, which lets its workers drain.
 */
export async function runWorker(port: number, terminal: Terminal): Promise<number> {
  const channel = ownerChannel()
  void terminal.stopRequested()
  terminal.onHangup(() => undefined)
  const log = terminalLog(terminal).with({ worker: process.pid })
  using _ = logRuntimeWarnings(log)
  await runApiWorker({ ...readConfig(terminal.env), port }, log, channel)
  return 0
}

function ownerChannel(): OwnerChannel {
  const closed = Promise.withResolvers<void>()
  process.once("disconnect", () => closed.resolve())
  return {
    closed: closed.promise,
    send(message: FromWorker) {
      if (process.connected) process.send?.(message)
    },
    onMessage(listener) {
      process.on("message", (message) => listener(message as ToWorker))
    },
  }
}
