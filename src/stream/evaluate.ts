import type { Clock } from "../ports.ts"
import type { Dataflow } from "./dataflow.ts"
import { Executor } from "./execute.ts"
import { OperatorFailure } from "./failures.ts"
import type { EngineObserver, SourceRecord } from "./types.ts"

/**
 * Runs one record through a flow, without a source, a commit or a dead letter: what answers a
 * request. Each operator is tried once; the caller waits and can try again itself.
 */
export class Evaluation<Out> {
  readonly #executor: Executor

  constructor(
    flow: Dataflow<SourceRecord, Out>,
    parts: { clock: Clock; observer: EngineObserver; random: () => number },
  ) {
    const retry = { attemptsMax: 1, baseMs: 0, capMs: 0 }
    this.#executor = new Executor(flow, { ...parts, retry })
  }

  /** @throws the error of the operator that failed */
  async evaluate(record: SourceRecord, signal: AbortSignal): Promise<Out> {
    const { key, timestampMs: eventTimeMs } = record
    try {
      return (await this.#executor.run(record, {
        key: key ?? "",
        eventTimeMs,
        record,
        signal,
        staged: undefined,
      })) as Out
    } catch (error) {
      throw error instanceof OperatorFailure ? error.cause : error
    }
  }
}
