import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import {
  REDACTED_CHARS_MAX,
  redactCredentials,
  redactedStretches,
} from "../../src/evidence/redact.ts"
import { cpuMsOf } from "../support/cpu-time.ts"

const JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTYifQ.c2lnbmF0dXJlLW9mLWl0"

const MASKED: readonly (readonly [text: string, location: string | undefined, shown: string])[] = [
  ["hunter2", "form:password", "[redacted]"],
  ["correct horse battery", "json:$.user.password", "[redacted]"],
  ["Tr0ub4dor&3'x", "form:pwd", "[redacted]"],
  ["8f14e45fceea", "cookie:PHPSESSID", "[redacted]"],
  ["s%3Aabc.def", "cookie:connect.sid", "[redacted]"],
  ["k-123", "header:x-api-key", "[redacted]"],
  ["abc", "json:$.tokens[3]", "[redacted]"],
  ["Bearer abcdefghijk", "header:authorization", "Bearer [redacted]"],
  ["Basic dXNlcjpwYXNz", "header:authorization", "Basic [redacted]"],
  [
    'Digest username="bob", response="6629fae49393"',
    "header:authorization",
    'Digest username="[redacted]", response="[redacted]"',
  ],
  [
    "theme=dark; sessionid=abc123; lang=en",
    "header:cookie",
    "theme=dark; sessionid=[redacted]; lang=en",
  ],
  ["user=bob&password=hunter2&x=1", undefined, "user=bob&password=[redacted]&x=1"],
  ["Authorization: Bearer abcdefghijk", undefined, "Authorization: Bearer [redacted]"],
  [`x ${JWT} y`, undefined, "x [redacted] y"],
  ["key AKIAIOSFODNN7EXAMPLE", undefined, "key [redacted]"],
  ['{"api_key": "abc123", "q": "x"}', undefined, '{"api_key": "[redacted]", "q": "x"}'],
  ['{"password": "p@ss w0rd!", "q": 1}', undefined, '{"password": "[redacted]", "q": 1}'],
  ["https://bob:hunter2@host/x", undefined, "https://bob:[redacted]@host/x"],
  ["ghp_0123456789abcdefghij0123456789abcdef", undefined, "[redacted]"],
  ["sk-0123456789abcdef", undefined, "[redacted]"],
  [
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEow==\n",
    undefined,
    "-----BEGIN RSA PRIVATE KEY-----[redacted]",
  ],
  ["access_token%3Dabc123", undefined, "access_token%3D[redacted]"],
  ["https://bob:hunt@r2@host/x", undefined, "https://bob:[redacted]@host/x"],
  ["Authorization: Basic YQ==", undefined, "Authorization: Basic [redacted]"],
  // names as forms and frameworks write them, and names that only look as if they were others
  ["hunter2", "form:password\u0007", "[redacted]"],
  ["hunter2", "form:pass\u200bword", "[redacted]"],
  ["hunter2", "form:ｐassword", "[redacted]"],
  ["hunter2", "form:user[password]", "[redacted]"],
  ["hunter2", "form:user%5Bpassword%5D", "[redacted]"],
  ["hunter2", "form:p%61ssword%07", "[redacted]"],
  ["hunter2", "form:password[]", "[redacted]"],
  ["hunter2", "form:password_confirmation", "[redacted]"],
  ["hunter2", "form:password2", "[redacted]"],
  ["hunter2", "json:$.password.value", "[redacted]"],
  ["hunter2", "header:x-auth-token ", "[redacted]"],
  ["admin%7C17", "cookie:wordpress_logged_in_0a1b", "[redacted]"],
  ["user[password]=hunter2&x=1", undefined, "user[password]=[redacted]&x=1"],
  ["user%5Bpassword%5D=hunter2&x=1", undefined, "user%5Bpassword%5D=[redacted]&x=1"],
  ["password\u0007=hunter2", undefined, "password\u0007=[redacted]"],
  ["password%07=hunter2", undefined, "password%07=[redacted]"],
  ["password2=hunter2", undefined, "password2=[redacted]"],
  ['{"password\\u0007": "p w"', undefined, '{"password\\u0007": "[redacted]"'],
  ["<x:password>p w</x:password>", undefined, "<x:password>[redacted]</x:password>"],
  ['name="password"\r\n\r\np w\r\n--x', undefined, 'name="password"\r\n\r\n[redacted]\r\n--x'],
]

const VISIBLE: readonly (readonly [text: string, location: string, shown: string])[] = [
  ["' OR 1=1--", "form:password", "' OR 1=1--"],
  ["hunter2' OR '1'='1", "form:password", "[redacted]' OR '1'='1"],
  ["x%27%20OR%201=1", "query:token", "[redacted]%27%20OR%201=1"],
  ["abc;cat /etc/passwd", "cookie:session", "[redacted];cat /etc/passwd"],
  ["../../etc/passwd", "query:token", "../../etc/passwd"],
  ["<script>alert(1)</script>", "form:password", "<script>alert(1)</script>"],
  ["password=' OR 1=1--", "body", "password=' OR 1=1--"],
  [
    "1 UNION SELECT user, password FROM users",
    "query:id",
    "1 UNION SELECT user, password FROM users",
  ],
  ['{"token":"x\' OR 1=1--"}', "body", '{"token":"[redacted]\' OR 1=1--"}'],
  ["cat /etc/passwd; id", "query:cmd", "cat /etc/passwd; id"],
  ["O'Brien & Sons", "form:name", "O'Brien & Sons"],
  ["<password>' OR 1=1--</password>", "body", "<password>' OR 1=1--</password>"],
  ["Ann", "form:author", "Ann"],
  ["Ann", "json:$.password_policy.owner", "Ann"],
  ["author=Ann", "body", "author=Ann"],
]

describe("redactCredentials", () => {
  test.each(MASKED)("redactCredentials masks %j at %s", (text, location, shown) => {
    expect(redactCredentials(text, location)).toBe(shown)
  })

  test.each(VISIBLE)("redactCredentials leaves the attack in %j at %s", (text, location, shown) => {
    expect(redactCredentials(text, location)).toBe(shown)
  })

  test("redactCredentials never shows a secret, whatever stands around it", () => {
    const secret = "S3cr3tValue9"
    const around = fc.string({ maxLength: 40 })
    fc.assert(
      fc.property(around, around, (before, after) => {
        expect(redactCredentials(`${before}&password=${secret} ${after}`)).not.toContain(secret)
      }),
    )
  })

  test("redactCredentials changes nothing when it reads its own output", () => {
    for (const [text, location] of MASKED) {
      const once = redactCredentials(text, location)
      expect(redactCredentials(once)).toBe(once)
    }
  })

  // Texts made to set a backtracking engine going; a quadratic pattern needs minutes for them.
  test.each([
    "eyJaaaa-",
    "password=",
    "bearer ",
    "://a:",
    "-----BEGIN PRIVATE KEY-----",
    "token:\\\\\\",
    "session' ",
    'password":"\\\\',
    '"password":"a',
    "<password ",
    "<a.",
    'name="password',
    "password%07",
    "authorization: basic ",
    "://a:@",
  ])("redactCredentials takes linear time on repeated %s", (unit) => {
    const text = unit.repeat(REDACTED_CHARS_MAX)
    const cpuMs = cpuMsOf(() => {
      redactCredentials(text)
      redactCredentials(text, "header:cookie")
      redactCredentials(text, "form:password")
      redactCredentials("x", `form:${text}`)
    })
    expect(cpuMs).toBeLessThan(2_000)
  })
})

describe("redactedStretches", () => {
  test("redactedStretches hides a secret where it stands, though the visible text repeats it", () => {
    const text = "id=admin' OR 1=1--&password=admin' OR 1=1--"
    const shown = redactedStretches(text)
    const secret = text.lastIndexOf("admin")
    expect(shown(secret, secret + 5)).toBe("[redacted]")
    expect(shown(secret + 2, secret + 7)).toBe("[redacted]' ")
    expect(shown(3, 8)).toBe("admin")
  })

  test("redactedStretches of a whole text are redactCredentials of it", () => {
    for (const [text, location, expected] of MASKED) {
      expect(redactedStretches(text, location)(0, text.length)).toBe(expected)
    }
  })

  test("redactedStretches shows nothing beyond the bound, nor a secret behind the mark itself", () => {
    const long = "a".repeat(REDACTED_CHARS_MAX + 9)
    expect(redactedStretches(long)(REDACTED_CHARS_MAX, long.length)).toBe("[redacted]")
    const marked = "password=\uE000hunter2"
    expect(redactedStretches(marked)(0, marked.length)).toBe("password=[redacted]")
  })
})
