import type { ModelOperations } from "../../api/model-operations.ts"
import type { Config } from "../../config.ts"
import { UnavailableError } from "../../errors.ts"
import type { Logger } from "../../log.ts"
import { openServedModels } from "../models.ts"
import type { ModelServerParts } from "./model-server.ts"

export interface OfflineModelsParts extends Required<Pick<ModelServerParts, "onDecided">> {
  readonly config: Config
  readonly log: Logger
}

/**
 * The models of a data directory that nobody serves: what is decided holds from the next start. They are
 * loaded when somebody asks, for most who open the directory ask for something else.
 */
export function offlineModels({ config, log, onDecided }: OfflineModelsParts): ModelOperations {
  let opened: ReturnType<typeof openServedModels> | undefined
  const server = async () => {
    opened ??= openServedModels(config, { log, onDecided })
    return (await opened).server
  }
  return {
    list: async () => (await server()).list(),
    show: async (modelId) => (await server()).show(modelId),
    promote: async (request) => (await server()).promote(request),
    rollback: async (reason, tier) => (await server()).rollback(reason, tier),
    health() {
      throw new UnavailableError("the model server")
    },
  }
}
