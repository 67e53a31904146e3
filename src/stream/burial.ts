import { SentinelError } from "../errors.ts"
import { Dataflow } from "./dataflow.ts"
import { OperatorFailure } from "./failures.ts"
import type { DeadLetter, Sink, SourceRecord } from "./types.ts"

export const DEAD_LETTERS = "dead_letters"

/** The way of a dead letter: every sink, in order. */
export function burialFlow(sinks: readonly Sink<DeadLetter>[]): Dataflow<DeadLetter, DeadLetter> {
  return sinks.reduce((flow, sink) => flow.to(sink), Dataflow.named<DeadLetter>(DEAD_LETTERS))
}

export function letterOf(
  failure: OperatorFailure,
  record: SourceRecord,
  failedAtMs: number,
): DeadLetter {
  const { code, operator, publicMessage: message, attempts } = failure
  return { code, operator, message, attempts, record, failedAtMs }
}

export function codeOf(error: unknown): string {
  const cause = error instanceof OperatorFailure ? error.cause : error
  return cause instanceof SentinelError ? cause.code : "INTERNAL"
}

/** Errors outside operators (a branch without an arm) are the engine's own. */
export function asFailure(error: unknown): OperatorFailure {
  return error instanceof OperatorFailure ? error : new OperatorFailure("engine", 1, error)
}
