/**
 * The one error family of Sentinel. `code` is stable and public; the message never holds input.
 *
 * Retryable errors are tried again with backoff; permanent ones become dead letters.
 */
export abstract class SentinelError extends Error {
  abstract readonly code: string
  readonly retryable: boolean
  /** Dotted path of the offending field, for errors about a document. */
  readonly field: string | undefined

  constructor(message: string, options: { retryable: boolean; field?: string; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.retryable = options.retryable
    this.field = options.field
  }
}

/** A document, event or request misses a required field or has one of the wrong type. */
export class MalformedError extends SentinelError {
  readonly code = "MALFORMED"
  constructor(field: string, expected: string) {
    super(`${field}: expected ${expected}`, { retryable: false, field })
  }
}

/** A digest announced for the evidence differs from the digest of its bytes. */
export class HashMismatchError extends SentinelError {
  readonly code = "HASH_MISMATCH"
  constructor(field: string) {
    super(`${field}: the bytes do not hash to the announced sha256`, { retryable: false, field })
  }
}

/** The evidence lacks what its integrity check needs: a manifest, or a component it lists. */
export class ManifestError extends SentinelError {
  readonly code = "MANIFEST_INVALID"
  constructor(field: string, problem: string) {
    super(`${field}: ${problem}`, { retryable: false, field })
  }
}

/** An archive that escapes its root, holds links or devices, or is larger than its bounds. */
export class ArchiveRefusedError extends SentinelError {
  readonly code = "ARCHIVE_REFUSED"
  constructor(problem: string) {
    super(`archive refused: ${problem}`, { retryable: false, field: "evidence" })
  }
}

/** Something from outside is larger than its stated bound. */
export class TooLargeError extends SentinelError {
  readonly code = "TOO_LARGE"
  constructor(field: string, max: number, unit = "bytes") {
    super(`${field}: larger than ${max} ${unit}`, { retryable: false, field })
  }
}

/** The object store answered, and the object is not there. */
export class ObjectNotFoundError extends SentinelError {
  readonly code = "OBJECT_NOT_FOUND"
  constructor() {
    super("the object store has no such object", { retryable: false, field: "evidence_uri" })
  }
}

/** The evidence points to a store, bucket or scheme that Sentinel is not configured to read. */
export class LocationRefusedError extends SentinelError {
  readonly code = "LOCATION_REFUSED"
  constructor(field: string, problem: string) {
    super(`${field}: ${problem}`, { retryable: false, field })
  }
}

/** An outside system did not answer, or not in time. */
export class UnavailableError extends SentinelError {
  readonly code = "UNAVAILABLE"
  constructor(system: string, cause?: unknown) {
    super(`${system} is unavailable`, { retryable: true, cause })
  }
}

/** A commit came too late: the partition belongs to another member of the group by now. */
export class PartitionLostError extends SentinelError {
  readonly code = "PARTITION_LOST"
  constructor() {
    super("the partition was assigned to another consumer", { retryable: false })
  }
}

/** Two pieces of evidence share one event id but not their content. */
export class EventIdConflictError extends SentinelError {
  readonly code = "EVENT_ID_CONFLICT"
  constructor() {
    super("event_id was used before for other evidence", { retryable: false, field: "event_id" })
  }
}

/** A file that cannot be opened or read, or is no regular file. */
export class FileUnreadableError extends SentinelError {
  readonly code = "FILE_UNREADABLE"
  constructor(problem: string, cause?: unknown) {
    super(`file unreadable: ${problem}`, { retryable: false, field: "file", cause })
  }
}

/** Another process owns the data directory: two writers would tread on each other's commits. */
export class DataDirectoryInUseError extends SentinelError {
  readonly code = "DATA_DIRECTORY_IN_USE"
  readonly ownerPid: number | undefined
  constructor(ownerPid: number | undefined) {
    const owner = ownerPid === undefined ? "another process" : `process ${ownerPid}`
    super(`the data directory is in use by ${owner}: stop it or set SENTINEL_DATA_DIR`, {
      retryable: false,
      field: "SENTINEL_DATA_DIR",
    })
    this.ownerPid = ownerPid
  }
}

/** There is no sandbox to run anything in, or it does not answer. */
export class SandboxUnavailableError extends SentinelError {
  readonly code = "SANDBOX_UNAVAILABLE"
  constructor(problem: string, cause?: unknown) {
    super(`the sandbox is not available: ${problem}`, { retryable: true, cause })
  }
}

/** Everything was destroyed on purpose, and nothing runs until a person resumes it. */
export class SandboxPanickedError extends SentinelError {
  readonly code = "SANDBOX_PANICKED"
  constructor() {
    super("the sandbox was shut down by a panic: `./sentinel sandbox resume` opens it again", {
      retryable: true,
    })
  }
}

/** The audit log was changed by somebody else: nothing is written to it until a person looks. */
export class AuditLogBrokenError extends SentinelError {
  readonly code = "AUDIT_LOG_BROKEN"
  /** @param place `<file>:<line>` of the first line that is wrong */
  constructor(place: string, problem: string) {
    super(`the audit log is broken at ${place}: ${problem}`, { retryable: true })
  }
}

/** A worker thread threw, or died: a bug of ours, kept away from the work that asked. */
export class WorkerFailedError extends SentinelError {
  readonly code = "WORKER_FAILED"
  constructor(cause: unknown) {
    super("a worker thread failed", { retryable: false, cause })
  }
}

/** Gatekeeper answered, and will not do it: a wrong token, or a rule that it finds malformed. */
export class GatekeeperRefusedError extends SentinelError {
  readonly code = "GATEKEEPER_REFUSED"
  readonly status: number
  constructor(status: number) {
    super(`Gatekeeper refused with status ${status}`, { retryable: false })
    this.status = status
  }
}

/** No rule has this id. */
export class RuleUnknownError extends SentinelError {
  readonly code = "RULE_UNKNOWN"
  constructor() {
    super("no rule has this id", { retryable: false, field: "rule_id" })
  }
}

/** The rule is in a state that does not lead to the one asked for. */
export class RuleStateError extends SentinelError {
  readonly code = "RULE_STATE"
  constructor(state: string) {
    super(`a rule in state ${state} cannot become that`, { retryable: false, field: "rule_id" })
  }
}

/** The never-block list protects what the rule would block. */
export class RuleProtectedError extends SentinelError {
  readonly code = "RULE_PROTECTED"
  constructor() {
    super("the never-block list protects what the rule matches", {
      retryable: false,
      field: "rule_id",
    })
  }
}

/** A model file that cannot be trusted: wrong schema, parity, digest or format. */
export class ModelRefusedError extends SentinelError {
  readonly code = "MODEL_REFUSED"
  readonly problem: string
  constructor(problem: string, cause?: unknown) {
    super(`model refused: ${problem}`, { retryable: false, cause })
    this.problem = problem
  }
}

/** No model of that id is at hand. */
export class ModelUnknownError extends SentinelError {
  readonly code = "MODEL_UNKNOWN"
  constructor() {
    super("there is no model of that id", { retryable: false, field: "model_id" })
  }
}

/** What is asked of a model cannot be: it misses a gate, is live already, or there is nothing before it. */
export class ModelNotPromotableError extends SentinelError {
  readonly code = "MODEL_NOT_PROMOTABLE"
  constructor(reasons: readonly string[]) {
    super(reasons.join("; "), { retryable: false, field: "model_id" })
  }
}

/** Every problem of the configuration, reported together. */
export class ConfigInvalidError extends SentinelError {
  readonly code = "CONFIG_INVALID"
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(`configuration invalid:\n${problems.map((line) => `  ${line}`).join("\n")}`, {
      retryable: false,
    })
    this.problems = problems
  }
}

/** The public words for any thrown value: a code, and a message that holds nothing internal. */
export function publicError(error: unknown): { code: string; message: string; field?: string } {
  if (!(error instanceof SentinelError)) return { code: "INTERNAL", message: "internal error" }
  const { code, message, field } = error
  return field === undefined ? { code, message } : { code, message, field }
}

/** The code of an error of the system or of a library, such as `ENOENT`; undefined where it has none. */
export function systemErrorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined
}
