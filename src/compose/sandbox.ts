import { availableParallelism } from "node:os"
import { join, resolve } from "node:path"
import type { SandboxConfig } from "../config.ts"
import { publicError } from "../errors.ts"
import type { Logger } from "../log.ts"
import type { AuditLog } from "../ports/sandbox.ts"
import { openDockerEngine } from "../sandbox/docker-engine.ts"
import { buildImage, type SandboxImage } from "../sandbox/image/build-image.ts"
import { ensureImage } from "../sandbox/image/docker-image.ts"
import type { ImageContents } from "../sandbox/image/image-entry.ts"
import { createSandbox, type PreparedSandbox } from "../sandbox/open-sandbox.ts"
import { canaryFiles } from "../twins/shell/canary-commands.ts"
import { SHELL_PATHS } from "../twins/shell/recorder-script.ts"

/** What the image of the twins is made from, in the repository: a change of any makes another image. */
export const IMAGE_SOURCES = [
  ...["src/twins", "src/twin-protocol.ts", "src/clock.ts", "bun.lock", "patches"],
]

const TWIN_SOURCE = new URL("../twins/main.ts", import.meta.url).pathname
const REPOSITORY = resolve(import.meta.dir, "../..")
const WARM_MAX = 2

export interface SandboxParts {
  readonly config: SandboxConfig
  /** `sandbox` in the data directory. */
  readonly stateDirectory: string
  readonly audit: Pick<AuditLog, "append">
  readonly log: Logger
}

/** The sandbox as configured; it answers at once and is prepared in the background. */
export function openSandbox({ config, stateDirectory, audit, log }: SandboxParts): PreparedSandbox {
  const cores = availableParallelism()
  return createSandbox({
    ...{ mode: config.mode, dockerHost: config.dockerHost, timeoutMsMax: config.timeoutMs },
    ...{ stateDirectory, busyMax: Math.max(2, cores), warmMax: WARM_MAX },
    image: () => buildSandboxImage(config, (line) => log.info(`sandbox: ${line}`)),
    audit: async (eventType, data) => void (await audit.append(eventType, data)),
    onError(error) {
      const { code, message: reason } = publicError(error)
      log.warn("sandbox", { code, reason })
    },
  })
}

/** The image of the sandbox, from the cache or built now. @throws SandboxUnavailableError */
export function buildSandboxImage(
  { cacheDirectory }: Pick<SandboxConfig, "cacheDirectory">,
  progress: (line: string) => void,
): Promise<SandboxImage> {
  return buildImage(imageContents(), {
    cacheDirectory: join(cacheDirectory, "sandbox"),
    progress,
  })
}

/** Hands a built image to Docker. @returns its name there. @throws SandboxUnavailableError */
export async function importSandboxImage(
  { dockerHost }: Pick<SandboxConfig, "dockerHost">,
  image: SandboxImage,
): Promise<string> {
  return (await ensureImage(openDockerEngine(dockerHost), image)).reference
}

function imageContents(): ImageContents {
  return {
    twinSource: TWIN_SOURCE,
    sources: IMAGE_SOURCES.map((path) => join(REPOSITORY, path)),
    files: canaryFiles(),
    init: "/usr/bin/dash",
    programs: {
      [SHELL_PATHS.dash]: "/usr/bin/dash",
      [SHELL_PATHS.bash]: "/usr/bin/bash",
    },
  }
}
