import { describe, expect, test } from "bun:test"
import type { PayloadKind } from "../../../src/events.ts"
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
