import { SentinelError } from "../errors.ts"

/** An operator did not answer within its `timeoutMs`. */
export class OperatorTimeoutError extends SentinelError {
  readonly code = "TIMEOUT"
  constructor(operator: string, timeoutMs: number) {
    super(`${operator} did not answer within ${timeoutMs} ms`, { retryable: true })
  }
}

/** The reason of an aborted signal: the record goes back to its source, unfinished. */
export class AbandonedError extends SentinelError {
  readonly code = "ABANDONED"
  constructor() {
    super("the record was given back to its source", { retryable: true })
  }
}

/** Too many records in a row failed in ways that nobody foresaw: the process cannot be trusted. */
export class EngineSuspectError extends SentinelError {
  readonly code = "ENGINE_SUSPECT"
  constructor(failures: number, cause: unknown) {
    super(`${failures} records in a row failed unexpectedly`, { retryable: false, cause })
  }
}

/** What is left when an operator has used up its attempts: the content of a dead letter. */
export class OperatorFailure extends Error {
  readonly operator: string
  readonly attempts: number

  constructor(operator: string, attempts: number, cause: unknown) {
    super(`${operator} failed`, { cause })
    this.operator = operator
    this.attempts = attempts
  }

  /** The stable public code; `INTERNAL` for anything that is not a SentinelError. */
  get code(): string {
    return this.cause instanceof SentinelError ? this.cause.code : "INTERNAL"
  }

  /** Safe to publish: SentinelErrors hold no input, and nothing else is quoted. */
  get publicMessage(): string {
    return this.cause instanceof SentinelError ? this.cause.message : "internal error"
  }
}
