import { describe, expect, test } from "bun:test"
import type { ExtractedPayload } from "../../src/events.ts"
import { BODY_CHARS_MAX, REQUESTS_MAX } from "../../src/evidence/har.ts"
import {
  PAYLOAD_CHARS_MAX,
  PAYLOADS_MAX,
  PAYLOADS_PER_REQUEST_MAX,
} from "../../src/evidence/payload-collector.ts"
import { readSession, sessionFromCaptures } from "../../src/evidence/read-session.ts"
import { failure, SAMPLE_HAR } from "./sample-evidence.ts"

const IDENTITY = {
  sessionId: "session-1",
  context: { tags: [], isTor: false, isVpn: false, priorPoiCount: 0 },
}

const JNDI = ["$", "{jndi:ldap://h}"].join("")

type Changes = Record<string, unknown>

const entry = (request: Changes = {}, changes: Changes = {}) => ({
  request: { method: "GET", url: "/", ...request },
  ...changes,
})

const read = (entries: readonly unknown[], extractedPayloads: readonly ExtractedPayload[] = []) =>
  readSession({ har: { log: { entries } }, extractedPayloads }, IDENTITY)

/** `location text` of every payload. */
const mined = (request: Changes, extracted: readonly ExtractedPayload[] = []) =>
  read([entry(request)], extracted).payloads.map(({ location, text }) => `${location} ${text}`)

const post = (text: string, contentType?: string) => ({
  method: "POST",
  headers: contentType === undefined ? [] : [{ name: "content-type", value: contentType }],
  postData: { mimeType: "application/octet-stream", text },
})

describe("readSession reads requests", () => {
  test("readSession gives a request its fields", () => {
    const session = read([
      entry(
        {
          method: "POST",
          url: "https://shop.example/a/b?q=1",
          headers: [{ name: "USER-AGENT", value: "curl/8" }],
          postData: { text: "a=1" },
        },
        {
          startedDateTime: "2026-01-02T03:04:05",
          time: 12.5,
          response: { status: 404, content: { size: 9, text: null }, bodySize: 7 },
        },
      ),
    ])
    expect(session.requests).toEqual([
      {
        index: 0,
        startedMs: Date.UTC(2026, 0, 2, 3, 4, 5),
        timeMs: 12.5,
        method: "POST",
        url: "https://shop.example/a/b?q=1",
        path: "/a/b",
        query: "q=1",
        headers: [{ name: "USER-AGENT", value: "curl/8" }],
        userAgent: "curl/8",
        body: "a=1",
        status: 404,
        responseBytes: 9,
      },
    ])
    expect(session.truncated).toBe(false)
  })

  test.each([
    { serverIPAddress: null, connection: null, cache: {}, notes: "x" },
    { startedDateTime: null, time: null, response: null, timings: null },
    { startedDateTime: "sometime", time: -1, timings: { wait: -3 } },
    { response: { status: null, content: null, bodySize: -1 } },
    { response: { content: { size: -1, text: null, mimeType: null } } },
  ])("readSession accepts the entry members %j", (changes) => {
    const [request] = read([entry({}, changes)]).requests
    expect(request).toMatchObject({ startedMs: undefined, timeMs: 0, status: 0, responseBytes: 0 })
  })

  test.each([
    { postData: {} },
    { postData: null, headers: null, queryString: null, cookies: null },
    { postData: { text: null, params: null, mimeType: null } },
    { headers: [{ name: "x", value: null }] },
    { httpVersion: null, headersSize: -1, bodySize: -1 },
  ])("readSession accepts the request members %j", (request) => {
    expect(read([entry(request)]).requests).toHaveLength(1)
  })

  test.each([
    ["relative/path?x=1", "relative/path", "x=1"],
    ["/?q=' OR 1=1#", "/", "q=' OR 1=1#"],
    ["HTTP://h:80?x", "", "x"],
    ["http://h/a?b?c", "/a", "b?c"],
    ["//h/a", "//h/a", ""],
    ["", "", ""],
  ])("readSession splits the URL %j as it was sent", (url, path, query) => {
    expect(read([entry({ url })]).requests[0]).toMatchObject({ url, path, query })
  })

  test.each([
    [{}, "har.log.entries"],
    [{ entries: null }, "har.log.entries"],
    [{ entries: {} }, "har.log.entries"],
    [{ entries: [null] }, "har.log.entries[0]"],
    [{ entries: [{}] }, "har.log.entries[0].request"],
    [{ entries: [{ request: "x" }] }, "har.log.entries[0].request"],
    [{ entries: [{ request: { url: "/" } }] }, "har.log.entries[0].request.method"],
    [{ entries: [{ request: { method: "GET", url: 5 } }] }, "har.log.entries[0].request.url"],
    [{ entries: [entry({ headers: {} })] }, "har.log.entries[0].request.headers"],
    [{ entries: [entry({ headers: [5] })] }, "har.log.entries[0].request.headers[0]"],
    [
      { entries: [entry({ headers: [{ name: 5 }] })] },
      "har.log.entries[0].request.headers[0].name",
    ],
    [{ entries: [entry({ postData: "x" })] }, "har.log.entries[0].request.postData"],
    [{ entries: [entry({ postData: { text: 5 } })] }, "har.log.entries[0].request.postData.text"],
    [{ entries: [entry({}, { time: "5" })] }, "har.log.entries[0].time"],
    [
      { entries: [entry({}, { response: { status: "200" } })] },
      "har.log.entries[0].response.status",
    ],
  ])("readSession names what is wrong in the log %j", async (log, field) => {
    const document = { har: { log }, extractedPayloads: [] }
    expect(await failure(() => readSession(document, IDENTITY))).toBe(`MALFORMED ${field}`)
  })
})

describe("readSession mines payloads", () => {
  test.each([
    ["query values, raw", { url: "/?q=%27+OR+1&p=&flag" }, ["query:q %27+OR+1", "query flag"]],
    ["odd names", { url: "/?a'b=1&ids[]=2" }, ["query:a'b 1", "query-name a'b", "query:ids[] 2"]],
    ["path segments", { url: "/shop//items/5" }, ["path:1 shop", "path:2 items", "path:3 5"]],
    [
      "a path that climbs, whole",
      { url: "/a/../../etc/passwd" },
      [
        "path /a/../../etc/passwd",
        "path:1 a",
        "path:2 ..",
        "path:3 ..",
        "path:4 etc",
        "path:5 passwd",
      ],
    ],
    [
      "an unencoded ampersand",
      { url: "/?q=a && id" },
      ["query:q a ", "query  id", "query q=a && id"],
    ],
    [
      "a query list that says more than the URL",
      {
        url: "/?q=a%20b",
        queryString: [
          { name: "q", value: "a b" },
          { name: "r", value: "<b>" },
        ],
      },
      ["query:q a%20b", "query:r <b>"],
    ],
    ["form fields", post("a=1&b=%3Cb%3E+x"), ["form:a 1", "form:b %3Cb%3E+x"]],
    [
      "form parameters",
      {
        postData: {
          params: [
            { name: "a", value: "1" },
            { name: "b", value: null },
          ],
        },
      },
      ["form:a 1"],
    ],
    [
      "JSON strings, unescaped, at any depth",
      post('{"user":{"name":"\\u003cb\\u003e","n":5},"list":[{"x":"y"}],"$where":"1"}'),
      ["json:$.user.name <b>", "json:$.list[0].x y", "json-key:$ $where", "json:$.$where 1"],
    ],
    ["a JSON string alone", post('"text"', "application/json"), ["json:$ text"]],
    [
      "JSON cut off at its end",
      post('{"a":"b\\"c","d":"<scr'),
      ['body {"a":"b\\"c","d":"<scr', 'json:$..a b"c', "json:$..d <scr"],
    ],
    [
      "multipart fields and file names",
      post(
        '--B\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n' +
          '--B\r\nContent-Disposition: form-data; name="f"; filename="../a.php"\r\n\r\n<?php\r\n--B--\r\n',
        "multipart/form-data; boundary=other",
      ),
      ["multipart:x 1", "multipart:f <?php", "multipart-filename:f ../a.php"],
    ],
    ["any other body", post("<?xml version='1.0'?><a/>"), ["body <?xml version='1.0'?><a/>"]],
    ["a body of dashes", post("-- nothing"), ["body -- nothing"]],
    [
      "cookies",
      {
        headers: [{ name: "cookie", value: "theme=dark; x=a=b" }],
        cookies: [{ name: "theme", value: "dark" }],
      },
      ["cookie:theme dark", "cookie:x a=b"],
    ],
    [
      "chosen headers, and any with an attack's characters",
      {
        headers: [
          { name: "Referer", value: "https://h/" },
          { name: "Accept", value: "text/html;q=0.9" },
          { name: "X-Custom", value: JNDI },
          { name: "If-None-Match", value: '"abc"' },
        ],
      },
      ["header:referer https://h/", `header:x-custom ${JNDI}`],
    ],
  ])("readSession mines %s", (_, request, expected) => {
    expect(mined({ url: "/", ...request })).toEqual(expected)
  })

  test.each([
    ["json", JSON.stringify({ ["a".repeat(500)]: { ["b".repeat(500)]: { password: "x" } } })],
    ["form", `q=1&${"a".repeat(500)}password=x`],
  ])("readSession shortens a long %s name in its middle: its end tells a secret", (_, body) => {
    const location = mined(post(body)).find((payload) => payload.endsWith("password x"))
    expect(location?.length).toBeLessThanOrEqual(258)
  })

  test("readSession tells kinds by place", () => {
    const session = read([
      entry({
        url: "/seg?q=1",
        headers: [
          { name: "cookie", value: "a=b" },
          { name: "via", value: "p" },
        ],
        postData: { text: "!" },
      }),
    ])
    const kinds: readonly string[] = session.payloads.map(({ kind }) => kind)
    expect(kinds).toEqual(["path", "param", "header", "cookie", "body"])
  })

  test("readSession merges one text at one place over all requests", () => {
    const session = read([
      entry({ url: "/?q=x" }),
      entry({ url: "/?q=x" }),
      entry({ url: "/?r=x" }),
    ])
    expect(session.payloads.map(({ location, requestIndex }) => [location, requestIndex])).toEqual([
      ["query:q", 0],
      ["query:r", 2],
    ])
  })

  test("readSession adds what the producer extracted, merged by text and location", () => {
    const session = read(
      [entry({ url: "/?q=x" })],
      [
        { id: "p-1", value: "x", location: "query:q" },
        { id: "p-2", value: "x", location: "header:x" },
        { id: "p-3", value: "x" },
        { id: "p-1", value: "y", type: "path_traversal" },
        { value: "" },
      ],
    )
    expect(session.payloads).toEqual([
      { id: "p-1", text: "x", kind: "param", location: "query:q", origin: "har", requestIndex: 0 },
      {
        id: "p-2",
        text: "x",
        kind: "header",
        location: "header:x",
        origin: "producer",
        requestIndex: undefined,
      },
      {
        id: "payload_3",
        text: "y",
        kind: "path",
        location: "producer",
        origin: "producer",
        requestIndex: undefined,
      },
    ])
  })

  test("readSession gives every payload an id of its own, whatever the producer called them", () => {
    const session = read(
      [],
      [{ id: "payload_2", value: "a" }, { value: "b" }, { id: "payload_2", value: "c" }],
    )
    expect(new Set(session.payloads.map(({ id }) => id)).size).toBe(3)
  })
})

describe("readSession says what a bound cut", () => {
  const fields = (count: number, from = 0) =>
    `/?${Array.from({ length: count }, (_, index) => `a=${from + index}`).join("&")}`

  test.each([
    ["requests", Array.from({ length: REQUESTS_MAX + 1 }, () => entry())],
    [
      "payloads of a request",
      [entry({ url: fields(PAYLOADS_PER_REQUEST_MAX), headers: [{ name: "via", value: "p" }] })],
    ],
    [
      "payloads",
      Array.from({ length: PAYLOADS_MAX / 1_000 + 1 }, (_, index) =>
        entry({ url: fields(1_000, index * 1_000) }),
      ),
    ],
    ["a long payload", [entry({ url: `/?q=${"x".repeat(PAYLOAD_CHARS_MAX + 1)}` })]],
    ["a long body", [entry({ postData: { text: "x".repeat(BODY_CHARS_MAX + 1) } })]],
    ["deep JSON", [entry({ postData: { text: "[".repeat(200) + "]".repeat(200) } })]],
    ["many query fields", [entry({ url: fields(1_001) })]],
  ])("readSession truncates %s", (_, entries) => {
    const session = read(entries)
    expect(session.truncated).toBe(true)
    expect(session.payloads.length).toBeLessThanOrEqual(PAYLOADS_MAX)
    expect(session.requests.length).toBeLessThanOrEqual(REQUESTS_MAX)
  })
})

describe("sessionFromCaptures", () => {
  test.each([
    ["a HAR", SAMPLE_HAR],
    ["a HAR log", SAMPLE_HAR.log],
    ["its entries", SAMPLE_HAR.log.entries],
    ["an evidence document", { session_id: "other", har: SAMPLE_HAR }],
  ])("sessionFromCaptures reads %s", (_, captures) => {
    const session = sessionFromCaptures("session-9", captures)
    expect(session.sessionId).toBe("session-9")
    expect(session.payloads.map(({ location }) => location)).toEqual(["path:1", "query:q"])
  })

  test.each([
    [null, "captures"],
    ["x", "captures"],
    [{}, "captures.entries"],
    [[5], "captures[0]"],
    [{ har: 5 }, "captures.har"],
  ])("sessionFromCaptures names what is wrong in %j", async (captures, field) => {
    expect(await failure(() => sessionFromCaptures("s", captures))).toBe(`MALFORMED ${field}`)
  })

  test("sessionFromCaptures needs a session id", async () => {
    expect(await failure(() => sessionFromCaptures("", []))).toBe("MALFORMED session_id")
  })
})
