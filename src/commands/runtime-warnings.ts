import type { Logger } from "../log.ts"

/**
 * Puts what the runtime warns about into the log: Bun prints warnings to stderr, as no log line,
 * only while nobody listens. A stack is not kept: it names files of this machine.
 */
export function logRuntimeWarnings(log: Logger): Disposable {
  const listener = ({ name, message }: Error) => log.warn("runtime", { name, reason: message })
  process.on("warning", listener)
  return { [Symbol.dispose]: () => process.off("warning", listener) }
}
