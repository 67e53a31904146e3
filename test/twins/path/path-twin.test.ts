import { afterAll, describe, expect, test } from "bun:test"
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { TWIN_LIMITS } from "../../../src/twin-protocol.ts"
import { pathTwin } from "../../../src/twins/path/path-twin.ts"

const CANARY = "00112233445566778899aabbccddeeff"
const directory = mkdtempSync(join(tmpdir(), "path-twin-"))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

function run(payload: string, templates?: readonly string[]) {
  const request = { id: "1", class: "path_traversal", location: "query:f", canary: CANARY } as const
  const chosen = templates === undefined ? {} : { templates }
  const work = mkdtempSync(join(directory, "run-"))
  return pathTwin.run({ ...request, payload, budgetMs: 10_000, ...chosen }, work)
}

/** A payload and the kind of server that opens what it names. */
const ATTACKS: readonly (readonly [string, string])[] = [
  ["../../../etc/passwd", "join"],
  [`${"../".repeat(40)}etc/passwd`, "join"],
  ["../etc/shadow", "join"],
  ["..//..//../etc//passwd", "join"],
  ["%2e%2e%2f%2e%2e%2fetc%2fpasswd", "join/decoded"],
  ["..%252f..%252fetc%252fpasswd", "join/decoded_twice"],
  ["%%32%65%%32%65/etc/passwd", "join/decoded_twice"],
  ["../../etc/passwd\0.png", "join_cut_at_nul"],
  ["../../etc/passwd%00.png", "join_cut_at_nul/decoded"],
  ["../../etc/passwd\0", "suffix"],
  ["/../../etc/passwd", "prefix"],
  ["/../../etc/passwd", "bare_prefix"],
  ["/etc/passwd", "absolute"],
  ["/srv/www/../../etc/passwd", "absolute"],
  ["..\\..\\windows\\win.ini", "backslash"],
  ["C:\\boot.ini", "backslash"],
  ["\\\\localhost\\c$\\windows\\win.ini", "backslash"],
  ["....//....//etc/passwd", "stripped_once"],
  ["..././..././etc/passwd", "stripped_once"],
  ["....\\\\....\\\\windows\\win.ini", "stripped_once_backslash"],
  ["..;/..;/etc/passwd", "path_parameters"],
  ["．．／．．／etc／passwd", "best_fit"],
  ["..%u2215..%u2215etc%u2215passwd", "best_fit/decoded"],
  ["..%c0%af..%c0%afetc%c0%afpasswd", "overlong_utf8"],
  ["%c0%ae%c0%ae/etc/passwd", "overlong_utf8"],
  ["%e0%80%ae%e0%80%ae/etc/passwd", "overlong_utf8"],
  ["..\0/etc/passwd", "nul_dropped"],
  ["file:///etc/passwd", "wrapper"],
  ["php://filter/convert.base64-encode/resource=../../etc/passwd", "wrapper"],
  ["jar:file:///etc/passwd!/x", "wrapper"],
  ["../../.env", "join"],
  ["../WEB-INF/web.xml", "join"],
  ["/proc/self/environ", "absolute"],
]

const BENIGN = [
  "report.pdf",
  "images/logo.png",
  "../images/logo.png",
  "../../css/style.css",
  "/about/us",
  "/home/alice/photos/1.jpg",
  "/var/www/html/index.html",
  "..",
  "../",
  "...",
  "a/../b.html",
  "C:\\Users\\me\\cv.docx",
  "https://example.com/a/../b?c=%2e",
  "The file /etc/passwd holds users",
  'import { a } from "../../../lib/a"',
  "and/or",
  "etc/passwd",
  "config.php",
  "50%",
  "",
]

describe("pathTwin", () => {
  test.each(ATTACKS)("pathTwin opens what %p names, with %p", async (payload, template) => {
    const { attempts } = await run(payload, [template])
    expect(attempts.map((attempt) => attempt.template)).toEqual([template])
    expect(attempts[0]?.effects[0]).toMatchObject({ kind: "file_opened" })
    expect(attempts[0]?.effects[0]?.detail).toContain(CANARY)
  })

  test.each(BENIGN)("pathTwin stays at home with %p", async (payload) => {
    expect(await run(payload)).toMatchObject({ attempts: [], controlAttempts: [] })
  })

  test("pathTwin opens nothing where a server checks what this payload needs", async () => {
    expect((await run("..%2fetc%2fpasswd", ["join"])).attempts).toEqual([])
    expect((await run("../etc/passwd", ["suffix", "stripped_once"])).attempts).toEqual([])
    expect((await run("../etc/passwd\0.png", ["join"])).attempts).toEqual([])
  })

  test("pathTwin writes below its work directory only", async () => {
    await run(`${"../".repeat(30)}root/path-twin-was-here`)
    expect(existsSync("/root/path-twin-was-here")).toBe(false)
    expect(readdirSync(directory).every((name) => name.startsWith("run-"))).toBe(true)
  })

  test("pathTwin refuses what is too large", async () => {
    const answer = await run("a".repeat(TWIN_LIMITS.payloadBytesMax + 1))
    expect(answer).toMatchObject({ inconclusive: "too_large", attempts: [] })
  })

  test("pathTwin keeps the canary where the path is as long as it may be", async () => {
    const { attempts } = await run(`../etc/${"a".repeat(200)}/${"b".repeat(200)}/${"c".repeat(99)}`)
    expect(attempts[0]?.effects[0]?.detail).toContain(CANARY)
    expect(attempts[0]?.effects[0]?.detail.length).toBeLessThanOrEqual(512)
  })

  test("pathTwin is total for whatever text, and never hits for letters and digits", async () => {
    const fragments = [
      "../",
      "..\\",
      "%2e",
      "%",
      "%u002e",
      "\0",
      "/",
      "etc/passwd",
      "C:",
      "é",
      "\ud800",
    ]
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 40 }),
      fc.array(fc.constantFrom(...fragments), { maxLength: 12 }).map((parts) => parts.join("")),
    )
    const word = fc.string({ unit: fc.constantFrom(..."abcetcpasswd019"), maxLength: 20 })
    await fc.assert(
      fc.asyncProperty(text, async (payload) => void (await run(payload))),
      {
        numRuns: 100,
      },
    )
    await fc.assert(
      fc.asyncProperty(word, async (payload) => {
        expect((await run(payload)).attempts).toEqual([])
      }),
      { numRuns: 100 },
    )
  })
})
