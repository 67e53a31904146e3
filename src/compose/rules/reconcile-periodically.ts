import type { Logger } from "../../log.ts"
import { isDrift } from "../../rules/policy/plan-reconciliation.ts"
import type { Reconciliation, RuleReconciler } from "./rule-reconciler.ts"

const INTERVAL_MS = 30_000
const AGAIN_MS = 5_000

/** Reconciles now and from time to time, sooner where the last time failed; @returns what ends it. */
export function keepReconciled(reconciler: Pick<RuleReconciler, "run">, log: Logger): () => void {
  let timer: NodeJS.Timeout | undefined
  let isOver = false
  let wasReported = false
  const round = async () => {
    const found = await reconciler.run()
    const isBad = found.failures.length > 0
    if (isBad && !wasReported) report(found, log)
    if (!isBad && found.drift !== undefined && isDrift(found.drift)) report(found, log)
    wasReported = isBad
    if (isOver) return
    timer = setTimeout(() => void round(), isBad ? AGAIN_MS : INTERVAL_MS)
    timer.unref()
  }
  void round()
  return () => {
    isOver = true
    clearTimeout(timer)
  }
}

function report({ drift, failures }: Reconciliation, log: Logger): void {
  log.warn("gatekeeper did not hold the decided rules", {
    missing: drift?.missing.length,
    changed: drift?.changed.length,
    surplus: drift?.surplus.length,
    failures: [...new Set(failures)].join(", "),
  })
}
