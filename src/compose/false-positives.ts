import type { FalsePositives } from "../api/parts.ts"
import { systemClock } from "../clock.ts"
import type { DataDirectoryPaths } from "../store/data-directory.ts"
import { FalsePositiveStore } from "../store/false-positive-store.ts"
import type { ModelServer } from "./models/model-server.ts"

/** Keeps each report and counts a new one against the model that answers its payload. */
export function openFalsePositives(
  paths: Pick<DataDirectoryPaths, "store">,
  { reported }: Pick<ModelServer, "reported">,
  stack: AsyncDisposableStack,
): FalsePositives {
  const store = new FalsePositiveStore(paths.store, { clock: systemClock })
  stack.defer(() => store.close())
  return {
    async report(report) {
      const model = reported.modelOf(report)
      const novelty = await store.add({ ...report, model })
      if (novelty === "new") reported.add(report)
      return novelty
    },
  }
}
