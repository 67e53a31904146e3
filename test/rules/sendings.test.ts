import { describe, expect, test } from "bun:test"
import { inspectedText, sendingsOf } from "../../src/rules/sendings.ts"

describe("sendings", () => {
  test("sendingsOf sends a parameter encoded, as it is, as a form and as JSON", () => {
    const sent = sendingsOf(`a b"'é`, "query:q").map(({ url, body }) => url + body)
    expect(sent).toEqual([
      "/item?q=a%20b%22'%C3%A9",
      `/item?q=a b"'é`,
      "/itemq=a+b%22'%C3%A9",
      '/item{"q":"a b\\"\'é"}',
    ])
  })

  test("sendingsOf keeps a header a header, a cookie a cookie and a path a path", () => {
    expect(sendingsOf("x", "header:referer")[0]?.headers).toMatchObject({ referer: "x" })
    expect(sendingsOf("x", "cookie:theme")[0]?.headers).toMatchObject({ cookie: "theme=x" })
    expect(sendingsOf("a/b", "path:2").map(({ url }) => url)).toEqual(["/a%2Fb", "/a/b"])
  })

  test("sendingsOf sends lone surrogates as a browser does", () => {
    expect(sendingsOf("\ud800", "query:q")[0]?.url).toBe("/item?q=%EF%BF%BD")
  })

  test("inspectedText writes headers as Python's json.dumps", () => {
    const headers = { a: 'é"\u{1f600}\u007f', b: "2" }
    const text = inspectedText({ url: "/", body: "", headers })
    expect(text).toBe('/  {"a": "\\u00e9\\"\\ud83d\\ude00\\u007f", "b": "2"}')
  })
})
