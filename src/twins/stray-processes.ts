/**
 * Whether every other process that this one sees is of its own making: it was started by PID 1 of a
 * namespace of its own, and is not root, for whom there is more to end than a sandbox.
 */
export function isAlone(): boolean {
  return process.ppid === 1 && process.getuid?.() !== 0
}

/**
 * Ends every process but this one and PID 1, whatever session or parent a payload has given it: the
 * kernel goes over all of them at once, so that none can start another in between.
 *
 * Only where `isAlone`.
 */
export function killAllOthers(): void {
  try {
    process.kill(-1, "SIGKILL")
  } catch {
    // There is none.
  }
}
