import { publicError, SentinelError } from "../errors.ts"

/** What a request can do wrong before anybody looks at its meaning. */
const PROBLEMS = {
  MALFORMED_JSON: { status: 400, message: "the body is not well-formed JSON" },
  INVALID_UTF8: {
    status: 400,
    message: "the body is not UTF-8 text; compressed ones are not read",
  },
  NOT_EXPLOITABLE: { status: 400, message: "only a confirmed exploit makes a rule" },
  UNAUTHORIZED: { status: 401, message: "this endpoint needs the API token" },
  FOREIGN_HOST: { status: 403, message: "the Host header does not name this service" },
  FOREIGN_ORIGIN: { status: 403, message: "requests of other origins are refused" },
  NOT_FOUND: { status: 404, message: "no such resource" },
  METHOD_NOT_ALLOWED: { status: 405, message: "the resource does not support this method" },
  REQUEST_TIMEOUT: { status: 408, message: "the body did not arrive in time" },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, message: "the content type is not supported" },
  MALFORMED: { status: 422, message: "the request is malformed" },
  OVERLOADED: { status: 429, message: "more requests than can be answered in time" },
  BUSY: { status: 503, message: "too many large requests at once" },
  UNAVAILABLE: { status: 503, message: "this part of the service is not available" },
} as const

export type HttpErrorCode = keyof typeof PROBLEMS

/** A request that is refused. The messages are fixed: none of them can hold input. */
export class HttpError extends SentinelError {
  readonly code: HttpErrorCode
  readonly status: number

  constructor(code: HttpErrorCode, message?: string, field?: string) {
    const problem = PROBLEMS[code]
    super(message ?? problem.message, {
      retryable: problem.status === 503 || problem.status === 429,
      ...(field !== undefined && { field }),
    })
    this.code = code
    this.status = problem.status
  }
}

/** Codes of the shared errors that blame the request; whatever is not listed is our own fault. */
const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  TOO_LARGE: 413,
  MALFORMED: 422,
  HASH_MISMATCH: 422,
  MANIFEST_INVALID: 422,
  ARCHIVE_REFUSED: 422,
  OBJECT_NOT_FOUND: 422,
  LOCATION_REFUSED: 422,
  EVENT_ID_CONFLICT: 409,
  MODEL_UNKNOWN: 404,
  MODEL_NOT_PROMOTABLE: 409,
  MODEL_REFUSED: 409,
  RULE_UNKNOWN: 404,
  RULE_STATE: 409,
  RULE_PROTECTED: 409,
  RULE_REFUSED: 422,
  UNAVAILABLE: 503,
  SANDBOX_UNAVAILABLE: 503,
  SANDBOX_PANICKED: 503,
  AUDIT_LOG_BROKEN: 503,
}

export interface ErrorAnswer {
  readonly status: number
  readonly error: { readonly code: string; readonly message: string; readonly field?: string }
}

/** The answer to anything thrown; an unexpected error becomes a 500 that says nothing about it. */
export function answerError(thrown: unknown): ErrorAnswer {
  if (thrown instanceof HttpError) return { status: thrown.status, error: publicError(thrown) }
  const status = thrown instanceof SentinelError ? STATUS_OF_CODE[thrown.code] : undefined
  if (status === undefined) return { status: 500, error: publicError(undefined) }
  return { status, error: publicError(thrown) }
}
