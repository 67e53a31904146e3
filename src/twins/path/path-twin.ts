import { readFileSync } from "node:fs"
import { join } from "node:path"
import { TWIN_LIMITS, type TwinAttempt, type TwinRequest } from "../../twin-protocol.ts"
import { defineTwin } from "../define-twin.ts"
import { PlantedFiles } from "./planted-files.ts"
import { PATH_SERVERS, type PathServer } from "./servers.ts"

/** A payload climbs as far as its author guessed: a root of every usual depth. */
const DOCUMENT_ROOTS = [
  "/srv",
  "/srv/www",
  "/srv/www/site",
  "/srv/www/site/public",
  "/srv/www/site/public/files",
  "/srv/www/site/public/files/images",
  "/srv/www/site/public/files/images/small",
  "/srv/www/site/public/files/images/small/a",
] as const
/** What Linux allows; a longer one opens nothing. */
const PATH_CHARACTERS_MAX = 4_096
const CONTROL = "report-2024.pdf"

/** Opens what each careless server would open, in a made-up machine below the work directory. */
export const pathTwin = defineTwin({
  class: "path_traversal",
  effects: ["file_opened"],
  templates: PATH_SERVERS.map(({ name }) => name),
  simulate(request, workDirectory, report) {
    const servers = PATH_SERVERS.filter(({ name }) => request.templates?.includes(name) ?? true)
    const control = attemptAll(servers, { ...request, payload: CONTROL }, workDirectory)
    const attempts = attemptAll(servers, request, workDirectory)
    for (const attempt of attempts) report?.(attempt)()
    const inconclusive = control.length > 0 ? "control_failed" : undefined
    return { tried: servers.length, attempts, control, inconclusive }
  },
})

function attemptAll(
  servers: readonly PathServer[],
  request: TwinRequest,
  workDirectory: string,
): readonly TwinAttempt[] {
  const files = new PlantedFiles(join(workDirectory, "machine"), request.canary)
  const deadlineMs = performance.now() + request.budgetMs
  const attempts: TwinAttempt[] = []
  for (const server of servers) {
    if (attempts.length >= TWIN_LIMITS.attemptsMax || performance.now() > deadlineMs) break
    const attempt = attemptServer(server, request, files)
    if (attempt !== undefined) attempts.push(attempt)
  }
  return attempts
}

function attemptServer(
  server: PathServer,
  request: TwinRequest,
  files: PlantedFiles,
): TwinAttempt | undefined {
  for (const root of DOCUMENT_ROOTS) {
    const path = server.resolve(request.payload, root)
    if (path === undefined || path.length > PATH_CHARACTERS_MAX || isInside(path, root)) continue
    const place = files.locate(path, root)
    if (place === undefined || !readText(place).includes(request.canary)) continue
    const detail = `${path} was opened from the document root ${root}: canary ${request.canary}`
    return {
      template: server.name,
      program: `open(${JSON.stringify(path)})`.slice(0, TWIN_LIMITS.programCharactersMax),
      effects: [{ kind: "file_opened", detail: clip(detail, request.canary) }],
    }
  }
  return undefined
}

/** The canary is the proof: it stays whatever is cut. */
function clip(detail: string, canary: string): string {
  const tail = `: canary ${canary}`
  if (detail.length <= TWIN_LIMITS.detailCharactersMax) return detail
  return `${detail.slice(0, TWIN_LIMITS.detailCharactersMax - tail.length - 3)}...${tail}`
}

function isInside(path: string, root: string): boolean {
  return path === root || path.startsWith(`${root}/`)
}

/** Empty where nothing can be opened. */
function readText(place: string): string {
  try {
    return readFileSync(place, "utf8")
  } catch {
    return ""
  }
}
