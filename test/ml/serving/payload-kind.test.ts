import { describe, expect, test } from "bun:test"
import { resolve } from "node:path"
import type { Classification, PayloadKind } from "../../../src/events.ts"
import { cachedClassifier } from "../../../src/ml/serving/cached-classifier.ts"
import { fieldwiseClassifier } from "../../../src/ml/serving/fieldwise-classifier.ts"
import { loadPayloadClassifier } from "../../../src/ml/serving/load-payload-classifier.ts"
import { withKind } from "../../../src/ml/serving/payload-kind.ts"
import type { PayloadContext } from "../../../src/ports.ts"

describe("withKind", () => {
  test.each([
    ["x", { param: "q", contentType: "application/json" }, "param"],
    ['{"a":"b"}', { contentType: "application/json" }, "body"],
    ["../../etc", { path: "/a/../../etc" }, "path"],
    ["/a?b=1", { path: "/a?b=1" }, "request"],
    ["x", { path: "/login" }, undefined],
    ["/a?b=1", { method: "GET" }, "request"],
    ["/a", { method: "GET" }, "path"],
    ["hello", { method: "GET" }, undefined],
    ["", { path: "/" }, undefined],
    ["x", { param: "", contentType: "" }, undefined],
    ["x", {}, undefined],
  ] satisfies readonly (readonly [string, PayloadContext, PayloadKind | undefined])[])(
    "withKind tells the kind of %j from %j",
    (text, context, kind) => {
      expect(withKind({ text, context }).kind).toBe(kind)
    },
  )

  test("withKind keeps a kind that is given, drops the context, and leaves a bare text alone", () => {
    const given = { text: "x", kind: "cookie", context: { param: "q" } } as const
    expect(withKind(given)).toEqual({ text: "x", kind: "cookie" })
    const bare = { text: "x" }
    expect(withKind(bare)).toBe(bare)
  })
})

describe("cachedClassifier with the shipped model", () => {
  test("lookup judges a text by the place that its context tells, and remembers each apart", async () => {
    const directory = resolve(import.meta.dir, "../../../models/payload-linear/1.4.0")
    const model = fieldwiseClassifier(await loadPayloadClassifier(directory))
    const cached = cachedClassifier(model, { entriesMax: 10, ttlMs: 60_000 })
    const text = "/etc/passwd"
    const contexts = [{ param: "file" }, { path: text }, { contentType: "text/plain" }, undefined]
    const judged = contexts.map((context) => cached.lookup({ text, ...(context && { context }) }))
    expect(judged.map((each) => each.cached)).toEqual([false, false, false, false])
    const attacks = judged.map(({ classification }) => classification.probabilities.benign)
    expect(new Set(attacks).size).toBe(4)
    expect(cached.lookup({ text, kind: "param" }).classification).toEqual(
      judged[0]?.classification as Classification,
    )
    expect(cached.lookup({ text, kind: "param" }).cached).toBe(true)
  })
})
