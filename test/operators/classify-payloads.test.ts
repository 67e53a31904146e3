import { describe, expect, test } from "bun:test"
import type { FeaturizedEvidence, SessionPayload } from "../../src/events.ts"
import { classifyPayloads } from "../../src/operators/classify-payloads.ts"
import type { CachedClassifier } from "../../src/ports.ts"
import type { OperatorContext } from "../../src/stream/types.ts"

const seen: unknown[] = []
const classifier: Pick<CachedClassifier, "lookup"> = {
  lookup(input, options) {
    seen.push([input, options])
    return {
      cached: false,
      classification: {
        class: "benign",
        confidence: 1,
        probabilities: { benign: 1 },
        method: "ml",
        model: "echo/1",
      },
    }
  },
}

function payload(id: string, text: string): SessionPayload {
  return { id, text, kind: "param", location: "query:q", origin: "har", requestIndex: 0 }
}

function evidenceOf(payloads: readonly SessionPayload[]): FeaturizedEvidence {
  return { session: { sessionId: "s", payloads } } as unknown as FeaturizedEvidence
}

const context = (signal: AbortSignal) => ({ key: "s", eventTimeMs: 0, signal }) as OperatorContext

describe("classifyPayloads", () => {
  test("predicts each payload in order, by its session, and leaves the evidence as it was", async () => {
    const payloads = [payload("1", "a"), payload("2", "b")]
    const evidence = Object.freeze(evidenceOf(Object.freeze(payloads)))
    const operator = classifyPayloads(classifier)
    const predictions = await operator.process(evidence, context(new AbortController().signal))
    expect(predictions.map((prediction) => prediction.payload)).toEqual(payloads)
    expect(seen).toEqual([
      [{ text: "a", kind: "param" }, { sessionId: "s" }],
      [{ text: "b", kind: "param" }, { sessionId: "s" }],
    ])
    expect(predictions[0]).toMatchObject({ class: "benign", model: "echo/1" })
  })

  test("gives the event loop its turn in long sessions, and stops when aborted", async () => {
    const long = Array.from({ length: 4 }, (_, i) => payload(String(i), "x".repeat(600_000)))
    const abort = new AbortController()
    const running = classifyPayloads(classifier).process(evidenceOf(long), context(abort.signal))
    abort.abort(new Error("stop"))
    await expect(Promise.resolve(running)).rejects.toThrow()
  })
})
