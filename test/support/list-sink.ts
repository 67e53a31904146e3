import type { DeadLetter, DeadLetterSink, EngineObserver, Sink } from "../../src/stream/types.ts"

/** Keeps what it is given, in order of acknowledgement. */
export function listSink<T>(name = "list_sink"): Sink<T> & { readonly items: T[] } {
  const items: T[] = []
  return {
    name,
    guarantee: "at-least-once",
    concurrency: 64,
    items,
    async write(item) {
      items.push(item)
    },
  }
}

export function listDeadLetters(): DeadLetterSink & { readonly letters: DeadLetter[] } {
  const letters: DeadLetter[] = []
  return {
    name: "list_dead_letters",
    guarantee: "at-least-once",
    concurrency: 64,
    letters,
    async write(letter) {
      letters.push(letter)
    },
  }
}

/** Counts what the engine reports, as text lines. */
export function listObserver(): EngineObserver & { readonly lines: string[] } {
  const lines: string[] = []
  return {
    lines,
    operatorDone: (operator, outcome) => lines.push(`${operator} ${outcome}`),
    retried: (operator, code) => lines.push(`${operator} retried ${code}`),
    deadLettered: (letter) => lines.push(`dead letter ${letter.code}`),
    recordDone: (done, outcome) => lines.push(`${done.partition}/${done.offset} ${outcome}`),
    committed: (id, nextOffset) => lines.push(`committed ${id.partition}/${nextOffset}`),
  }
}
