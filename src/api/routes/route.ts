import type { Schema } from "../schemas.ts"

export const BASE = "/api/v1/sentinel"
export const PREDICT_BYTES_MAX = 64 * 1_024
export const EVIDENCE_BYTES_MAX = 16 * 1_024 * 1_024

export interface Call {
  readonly request: Request
  /** Path parameters, percent-decoded. */
  readonly params: Readonly<Record<string, string>>
}

export interface QueryParameter {
  readonly name: string
  readonly description: string
}

/** One endpoint: what the documentation says of it and what it does. */
export interface Route {
  readonly method: "GET" | "POST"
  readonly path: string
  readonly summary: string
  /** Of the answer; default 200. */
  readonly status?: number
  /** True where the call changes something: it then needs the API token. */
  readonly changes?: boolean
  /** True where the answer holds evidence as it was received: it then needs the token as well. */
  readonly isPrivate?: boolean
  /** Bound of the body; bodies beyond `PREDICT_BYTES_MAX` are admitted few at a time. */
  readonly bytesMax?: number
  readonly body?: Schema
  readonly query?: readonly QueryParameter[]
  readonly answer: Schema | "text"
  /** Of an error's body; default: that of the whole API. */
  readonly errors?: Schema
  /**
   * True for a POST that is served without the framework, for its speed: it has no parameters in its
   * path, needs no token, answers 200 and may answer JSON that is text already.
   */
  readonly isDirect?: boolean
  /** Answers what becomes the JSON body, or a whole `Response`. */
  handle(call: Call): unknown
}
