import type { Logger } from "../../log.ts"
import type { Clock } from "../../ports.ts"
import { isDrift } from "../../rules/policy/plan-reconciliation.ts"
import type { Reconciliation, RuleReconciler } from "./rule-reconciler.ts"

const INTERVAL_MS = 30_000
/** After the first failure; it doubles with each further one up to the interval. */
const AGAIN_MS = 1_000

export interface KeepReconciledParts {
  readonly reconciler: Pick<RuleReconciler, "run">
  readonly clock: Pick<Clock, "sleep">
  readonly log: Logger
}

/**
 * Reconciles now and every 30 s; while that fails, after 1, 2, 4 ... 30 s. Logs what was found,
 * an outage once.
 * @returns what ends it
 */
export function keepReconciled({ reconciler, clock, log }: KeepReconciledParts): () => void {
  const ending = new AbortController()
  const keep = async () => {
    for (let failed = 0; !ending.signal.aborted; ) {
      const found = await reconciler.run()
      if (isNews(found, failed)) report(found, log)
      failed = found.failures.length > 0 ? failed + 1 : 0
      await clock.sleep(waitMs(failed), ending.signal).catch(() => undefined)
    }
  }
  void keep()
  return () => ending.abort()
}

function isNews({ drift, failures }: Reconciliation, failedBefore: number): boolean {
  if (failures.length > 0) return failedBefore === 0
  return drift !== undefined && isDrift(drift)
}

function waitMs(failed: number): number {
  return failed === 0 ? INTERVAL_MS : Math.min(INTERVAL_MS, AGAIN_MS * 2 ** (failed - 1))
}

function report({ drift, failures }: Reconciliation, log: Logger): void {
  log.warn("gatekeeper did not hold the decided rules", {
    missing: drift?.missing.length,
    changed: drift?.changed.length,
    surplus: drift?.surplus.length,
    failures: [...new Set(failures)].join(", "),
  })
}
