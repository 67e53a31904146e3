import { MalformedError } from "../../errors.ts"
import { readJson } from "../body.ts"
import { HttpError } from "../http-error.ts"
import type { OperatingParts, SandboxOperations } from "../parts.ts"
import { createReader } from "../schemas.ts"
import {
  auditLogAnswer,
  panicAnswer,
  panicRequest,
  resumeAnswer,
  sandboxAnswer,
} from "../simulation-schemas.ts"
import { readText } from "./page-query.ts"
import { BASE, PREDICT_BYTES_MAX, type Route } from "./route.ts"

interface Operated {
  readonly operating: OperatingParts
  readonly clock: { nowMs(): number }
}

const ENTRIES_DEFAULT = 100
const ENTRIES_MAX = 1_000

/** What holds the payloads that are tried: its state, its emergency stop, its log. */
export function sandboxRoutes(parts: Operated): readonly Route[] {
  return [status(parts), panic(parts), resume(parts), auditLog(parts)]
}

function status(parts: Operated): Route {
  return {
    method: "GET",
    path: `${BASE}/sandbox`,
    summary: "Driver, limits, pool and whether it is shut down",
    answer: sandboxAnswer,
    handle() {
      const sandbox = sandboxOf(parts)
      const { driver, runtime = null, imageDigest = null, limits, notes } = sandbox.describe()
      return {
        ...{ driver, runtime, image_digest: imageDigest, limits, notes },
        ...{ panicked: sandbox.isPanicked(), pool: sandbox.pool(), audit: sandbox.auditHead() },
      }
    },
  }
}

function panic(parts: Operated): Route {
  const read = createReader(panicRequest)
  return {
    method: "POST",
    path: `${BASE}/sandbox/panic`,
    summary: "Destroy everything in the sandbox at once; nothing runs until resume",
    changes: true,
    bytesMax: PREDICT_BYTES_MAX,
    body: panicRequest,
    answer: panicAnswer,
    async handle({ request }) {
      const sandbox = sandboxOf(parts)
      const { reason = "asked for over the API" } = isEmpty(request)
        ? {}
        : read(await readJson(request, PREDICT_BYTES_MAX))
      const { isClean, destroyed, left } = await sandbox.panic(reason)
      const message = isClean
        ? "everything is destroyed: nothing runs until resume"
        : "new runs are refused, but not everything could be destroyed"
      const answer = { status: isClean ? "panicked" : "incomplete", message, destroyed, left }
      return { ...answer, timestamp: new Date(parts.clock.nowMs()).toISOString() }
    },
  }
}

/** An emergency stop must not fail for want of a body. */
function isEmpty({ headers }: Request): boolean {
  return headers.get("content-type") === null
}

function resume(parts: Operated): Route {
  return {
    method: "POST",
    path: `${BASE}/sandbox/resume`,
    summary: "Let the sandbox run again after a panic",
    changes: true,
    answer: resumeAnswer,
    async handle() {
      await sandboxOf(parts).resume()
      const timestamp = new Date(parts.clock.nowMs()).toISOString()
      return { status: "resumed", message: "payloads are simulated again", timestamp }
    },
  }
}

function auditLog(parts: Operated): Route {
  return {
    method: "GET",
    path: `${BASE}/sandbox/audit-log`,
    summary: "The newest entries of the audit log, newest last",
    query: [{ name: "limit", description: `1 to ${ENTRIES_MAX}, default ${ENTRIES_DEFAULT}` }],
    isPrivate: true,
    answer: auditLogAnswer,
    async handle({ request }) {
      const text = readText(new URL(request.url).searchParams, "limit")
      const limit = text === undefined ? ENTRIES_DEFAULT : Number(text)
      if (!Number.isInteger(limit) || limit < 1 || limit > ENTRIES_MAX) {
        throw new MalformedError("limit", `a whole number from 1 to ${ENTRIES_MAX}`)
      }
      const sandbox = sandboxOf(parts)
      const entries = await sandbox.auditTail(limit)
      return { entries, count: entries.length, head: sandbox.auditHead() }
    },
  }
}

function sandboxOf({ operating }: Operated): SandboxOperations {
  if (operating.sandbox !== undefined) return operating.sandbox
  throw new HttpError("UNAVAILABLE", "this process has no sandbox: `start` has one")
}
