import { publicError } from "../../errors.ts"
import type { Logger } from "../../log.ts"
import type { ModelRegistryStore, RegistryState } from "../../model-traffic.ts"

interface Remembering {
  readonly store: ModelRegistryStore
  readonly log: Logger
}

/** undefined where nothing was decided yet, or what was is not understood. */
export function readState({ store, log }: Remembering): RegistryState | undefined {
  try {
    return store.read()
  } catch (error) {
    log.error("the model registry is not understood; the shipped model serves", publicError(error))
    return undefined
  }
}

/** Writes where it can: the state holds in this process in any case. */
export function persist({ store, log }: Remembering, state: RegistryState): void {
  try {
    store.write(state)
  } catch (error) {
    log.error("the model registry cannot be written", publicError(error))
  }
}
