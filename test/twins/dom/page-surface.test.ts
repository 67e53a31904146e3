import { expect, test } from "bun:test"
import { inspectPage } from "../../../src/twins/dom/page.ts"

test("inspectPage finds handlers only where a browser calls them", () => {
  const { handlers } = inspectPage("<img src=x onerror=a()><p onload=b() onclick=c()>")
  expect(handlers.map(({ name, code }) => `${name}: ${code}`)).toEqual([
    "onerror: a()",
    "onclick: c()",
  ])
})

test("inspectPage finds javascript: URLs however they are written", () => {
  const pages = [
    "<a href='java\tscript:a()'>",
    "<a href=' JAVASCRIPT:b%28%29'>",
    "<form action=javascript:c()>",
    "<button formaction=javascript:d()>",
    "<svg><a xlink:href=javascript:e()></svg>",
    "<svg><animate attributeName=href values=javascript:f()></svg>",
  ]
  const codes = pages.flatMap((page) => inspectPage(page).links).map(({ code }) => code)
  expect(codes).toEqual(["a()", "b()", "c()", "d()", "e()", "f()"])
})

test("inspectPage finds pages in frames and scripts from elsewhere", () => {
  const surface = inspectPage(
    [
      `<iframe srcdoc="<b>a</b>"></iframe><iframe src="data:text/html;base64,PGI+Yg=="></iframe>`,
      `<script src=//evil.example/x.js></script><script src=/own.js></script>`,
      `<script src="data:text/javascript,c()"></script><svg><script>d()</script></svg>`,
    ].join(""),
  )
  expect(surface.frames).toEqual(["<b>a</b>", "<b>b"])
  expect(surface.remoteScripts).toEqual(["//evil.example/x.js"])
  expect(surface.codes).toEqual(["c()", "d()"])
})

test("inspectPage takes data blocks, links and unknown attributes for what they are", () => {
  const surface = inspectPage(
    `<script type="application/json">{}</script><a href="https://example.com">x</a><constructor onfoo=a()>`,
  )
  const none = { handlers: [], links: [], frames: [], remoteScripts: [], codes: [] }
  expect(surface).toEqual({ ...none, scripts: 0, hasNoScript: false })
})
