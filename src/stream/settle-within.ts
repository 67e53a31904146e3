import type { Clock } from "../ports.ts"
import type { Partition } from "./partition.ts"

/** What an abandoned record may take to notice; its next step is refused in any case. */
const ABANDON_GRACE_MS = 1_000

/** Waits for the records in flight; those that are not finished in time are abandoned. */
export async function settleWithin(
  partitions: readonly Partition[],
  { clock, timeoutMs }: { clock: Clock; timeoutMs: number },
): Promise<void> {
  const done = new AbortController()
  const idle = Promise.all(partitions.map((partition) => partition.whenIdle()))
  const atMost = (ms: number) => clock.sleep(ms, done.signal).catch(() => undefined)
  await Promise.race([idle, atMost(timeoutMs)])
  for (const partition of partitions) partition.abandon()
  await Promise.race([idle, atMost(ABANDON_GRACE_MS)])
  done.abort()
}
