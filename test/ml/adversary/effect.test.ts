import { describe, expect, test } from "bun:test"
import type { PayloadClass } from "../../../src/events.ts"
import { effectCheck } from "../../../src/ml/adversary/effect.ts"
import { escapedPath } from "../../../src/ml/adversary/path-effect.ts"
import { runningScripts } from "../../../src/ml/adversary/script-effect.ts"
import { injectedCommands, needsBash } from "../../../src/ml/adversary/shell-effect.ts"

function stillWorks(label: PayloadClass, attack: string, text: string): boolean | undefined {
  return effectCheck(label, attack)?.(text)
}

describe("effectCheck", () => {
  test.each([
    ["sql_injection", "' or 1=1 -- ", "'/**/OR\t0x1=(1)--x"],
    ["sql_injection", "-1 union select name from users", "-1 UNION/*a*/SELECT\nname FROM [users]"],
    ["xss", "<img src=x onerror=alert(1)>", '<svg onload="&#97;lert`1`">'],
    ["xss", '"><script>alert(1)</script>', '"><ScRiPt a>self["alert"](1)</script >'],
    ["command_injection", "; cat /etc/passwd", "a b\nc''at$" + "{IFS}/etc/pass?d # text"],
    ["command_injection", "$(id)", "`i\\d`"],
    ["command_injection", "; ls | sh", "x | ls|\nsh;"],
    ["path_traversal", "../../../../etc/passwd", "a/../..\\../%2e%2e/..//../etc/./passw%64"],
  ] as const)("effectCheck sees that a rewritten %s still works", (label, attack, text) => {
    expect(stillWorks(label, attack, text)).toBe(true)
  })

  test.each([
    ["sql_injection", "' or 1=1 -- ", "' or 1=2 -- "],
    ["sql_injection", "' or 1=1 -- ", "'' or 1=1 -- "],
    ["sql_injection", "' or 1=1 -- ", "or 1=1"],
    ["xss", "<img src=x onerror=alert(1)>", "<img src=x onerror=alert(2)>"],
    ["xss", "<img src=x onerror=alert(1)>", "<!--<img src=x onerror=alert(1)>-->"],
    ["xss", "<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"],
    ["command_injection", "; cat /etc/passwd", "; 'cat /etc/passwd'"],
    ["command_injection", "; cat /etc/passwd", "|| cat /etc/passwd"],
    ["command_injection", "; cat /etc/passwd", "'; cat /etc/passwd"],
    ["command_injection", "; cat /etc/passwd", "# ; cat /etc/passwd"],
    ["command_injection", "; cat /etc/passwd", "; cat /etc/passwd |"],
    ["command_injection", "; cat /etc/passwd", ";; cat /etc/passwd"],
    ["command_injection", "$(echo aWQ= | base64 -d)", "$(echo aWQ= ; base64 -d)"],
    ["command_injection", "; cat /etc/passwd", "\r cat /etc/passwd"],
    ["path_traversal", "../../../../../etc/passwd", "etc/passwd"],
    ["path_traversal", "../../../../../etc/passwd", "%25252e%25252e/etc/passwd"],
  ] as const)("effectCheck sees that a broken %s does not work", (label, attack, text) => {
    expect(stillWorks(label, attack, text)).toBe(false)
  })

  test.each([
    ["sql_injection", "O'Brien"],
    ["sql_injection", "1 -- first"],
    ["sql_injection", "1; WAITFOR DELAY '0:0:5'"],
    ["sql_injection", "1; ATTACH 'x.db' AS x"],
    ["xss", "<b>bold</b>"],
    ["command_injection", "two words"],
    ["command_injection", "(see above) and | so 'on"],
    ["path_traversal", "images/logo.png"],
    ["benign", "' or 1=1 -- "],
    ["sql_injection", `' or 1=1 -- ${"x".repeat(5_000)}`],
  ] as const)("effectCheck answers undefined for %s where it sees no effect: %s", (label, text) => {
    expect(effectCheck(label, text)).toBeUndefined()
  })
})

describe("effects", () => {
  test("injectedCommands names words after quoting, expansion and globbing", () => {
    const text = `x; "c"a\\t<f; {ls,-l} /bi?/wh*; $'\\x69\\144' "$(uname -a)" 2>&1`
    expect(injectedCommands(text)).toBe(
      JSON.stringify([["cat<f"], ["ls", "-l", "/bi?/wh*"], ["id", "2>&1"], ["uname", "-a"]]),
    )
  })

  test("needsBash tells what dash does not read", () => {
    const ofBash = ["; $'\\x69d'", "x;{id,-u}", "sh<<<id"]
    expect(["; id", "$(i''d)", "x;a=${b},c;id", ...ofBash].filter(needsBash)).toEqual(ofBash)
  })

  test("runningScripts reads handlers, script elements, javascript: URLs and srcdoc", () => {
    const markup = `<a HREF=" java&Tab;script:one()">
      <svg/onload=two()><script>three()</script>
      <iframe srcdoc="&lt;img onerror=four()>">`
    expect(runningScripts(markup)).toBe('0:["one()","two()","three()","four()"]')
  })

  test("escapedPath cuts at a NUL and stops decoding after two rounds", () => {
    expect(escapedPath("../../../../etc/passwd%00.png")).toBe("/etc/passwd")
    expect(escapedPath("..%252f..%252f..%252f..%252fetc")).toBe("/etc")
    expect(escapedPath("..%25252fetc")).toBeUndefined()
  })
})
