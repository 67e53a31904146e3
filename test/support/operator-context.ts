import type { OperatorContext } from "../../src/stream/types.ts"

/** What the engine hands to an operator, for operators called by hand. */
export function operatorContext(signal = new AbortController().signal): OperatorContext {
  return {
    key: "key",
    eventTimeMs: 0,
    signal,
    record: {
      topic: "test",
      partition: 0,
      offset: 0n,
      key: null,
      value: new Uint8Array(),
      headers: {},
      timestampMs: 0,
      receivedAtMs: 0,
    },
  }
}
