import { afterAll, describe, expect, test } from "bun:test"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { TWIN_LIMITS, type TwinAnswer, type TwinEffectKind } from "../../../src/twin-protocol.ts"
import { sqlTwin } from "../../../src/twins/sql/sql-twin.ts"

const directory = mkdtempSync(join(tmpdir(), "sql-twin-"))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const CANARY = "00112233445566778899aabbccddeeff"

function run(payload: string, options: { templates?: readonly string[]; budgetMs?: number } = {}) {
  const request = { id: "1", class: "sql_injection", location: "query:q", canary: CANARY } as const
  return sqlTwin.run({ ...request, payload, budgetMs: 10_000, ...options }, directory)
}

function effectsOf(answer: TwinAnswer): ReadonlySet<TwinEffectKind> {
  const effects = answer.attempts.flatMap((attempt) => attempt.effects.map(({ kind }) => kind))
  return new Set(effects.filter((kind) => kind !== "syntax_error"))
}

/** A payload, the template that it is for, and what it does there. */
const ATTACKS: readonly (readonly [string, string, TwinEffectKind])[] = [
  ["1 OR 1=1", "numeric", "canary_leaked"],
  ["x' OR 'a'='a", "quoted", "canary_leaked"],
  ['x" OR "a"="a', "quoted_double_quoted", "canary_leaked"],
  ["1) OR (1=1", "numeric_parenthesised", "canary_leaked"],
  ["x') OR ('a'='a", "parenthesised", "canary_leaked"],
  ["1)))) OR 1=1 -- ", "numeric_parenthesised_deeply", "canary_leaked"],
  ["%' OR 1=1 -- ", "like", "rows_changed"],
  ["(CASE WHEN 1=1 THEN name ELSE id END)", "order_by", "rows_changed"],
  ["1; DROP TABLE posts", "order_by", "statement_run"],
  ["1 or 1", "numeric", "canary_leaked"],
  [
    `1 UNION SELECT ${"abs(max(1,abs(2))),".repeat(11)}password FROM users -- `,
    ...(["numeric", "canary_leaked"] as const),
  ],
  ["'or' 1", "quoted", "canary_leaked"],
  ["(SELECT COUNT(*) FROM users WHERE id < 3)", "limit", "rows_changed"],
  ["a') OR name IN ('alice", "in_list", "canary_leaked"],
  ["1) UNION SELECT password, 1, 1 FROM users -- ", "numeric_in_list", "canary_leaked"],
  ["x', (SELECT password FROM users LIMIT 1)) -- ", "insert_first", "canary_leaked"],
  ["1), ('evil', (SELECT value FROM secrets)", "insert_numeric", "rows_changed"],
  ["x', role = 'admin", "update", "rows_changed"],
  ["admin' -- ", "login_name", "authentication_bypassed"],
  ["x' OR 'a'='a", "login_password", "authentication_bypassed"],
  ["alice' -- ", "second_order", "rows_changed"],
  ["x' OR name = 'alice", "second_order", "rows_changed"],
  ["name'), password FROM users -- ", "json_path", "canary_leaked"],
  ["\\' OR 1=1 -- ", "escaped_quotes", "canary_leaked"],
  ["-1 UNION SELECT 1, 2, 3, 4, 5, 6, 7, 8", "numeric", "rows_changed"],
  ["x' UNION SELECT value FROM secrets -- ", "quoted", "canary_leaked"],
  ["x' UNION SELECT login, pin FROM accounts -- ", "quoted", "canary_leaked"],
  ["x' UNION SELECT hex(password) FROM users -- ", "quoted", "canary_leaked"],
  ["1; DELETE FROM users", "numeric", "rows_changed"],
  ["1'; INSERT INTO users VALUES (9, 'eve') -- ", "quoted", "rows_changed"],
  ["x' OR 'a'='a';", "quoted", "canary_leaked"],
  ["1; COMMIT; DELETE FROM users", "numeric", "rows_changed"],
  ["x'; ATTACH DATABASE '/tmp/x.php' AS x; CREATE TABLE x.y (z) -- ", "quoted", "statement_run"],
]

/** The same in the words of other engines. */
const DIALECTS: readonly (readonly [string, string, TwinEffectKind])[] = [
  ["1 AND SLEEP(5)", "numeric", "delay_measured"],
  ["1 AND IF(1=1, BENCHMARK(9000000, MD5(1)), 0)", "numeric", "delay_measured"],
  ["x' AND (SELECT * FROM (SELECT(SLEEP(5)))a)#", "quoted", "delay_measured"],
  ["1; SELECT pg_sleep(5)--", "numeric", "delay_measured"],
  ["x'; WAITFOR DELAY '0:0:5'--", "quoted", "delay_measured"],
  ["1 WAITFOR DELAY '0:0:5'", "numeric", "delay_measured"],
  ["1; IF (1=1) WAITFOR DELAY '0:0:5'", "numeric", "delay_measured"],
  ["x' AND extractvalue(1, concat(0x7e, version())) -- ", "quoted", "error_leaked"],
  ["1 AND 1=CAST((SELECT password FROM users LIMIT 1) AS int)", "numeric", "error_leaked"],
  ["1 AND 1=(SELECT @@version)::int", "numeric", "error_leaked"],
  ["1 AND 1=CONVERT(int, CHAR(65)+@@version)", "numeric", "error_leaked"],
  [
    "x'/*!50000UNION*//*!SELECT*/table_name FROM information_schema.tables#",
    "like",
    "rows_changed",
  ],
  ["-1 UNION SELECT TOP 1 name FROM master..sysdatabases", "numeric", "canary_leaked"],
  ["'-0#", "login_name", "authentication_bypassed"],
  ["' HAVING 1=1--", "quoted", "error_leaked"],
  ["1 UNION (SELECT @@version)#", "numeric", "canary_leaked"],
  ["1; BEGIN DBMS_LOCK.SLEEP(5); END", "numeric", "delay_measured"],
  ["1 || 1=1", "numeric", "canary_leaked"],
  ["x'; EXEC master..xp_cmdshell 'dir' --", "quoted", "statement_run"],
  ["x'; COPY users TO PROGRAM 'id' --", "quoted", "statement_run"],
  ["x' UNION SELECT '<?php ?>' INTO OUTFILE '/var/www/x.php' -- ", "quoted", "file_created"],
]

const BENIGN = [
  "O'Brien",
  "D'Arcy and O'Neill",
  "alice@example.com",
  "It's 5 o'clock",
  "SELECT name FROM users",
  "DROP TABLE users;",
  "What's the difference between UNION and UNION ALL?",
  '{"name": "alice", "tags": ["a", "b"]}',
  "id",
  "name desc, id asc",
  "1,2,3",
  "id=1",
  "2 or 3",
  "2-1",
  "5 -- five stars",
  '"--verbose",',
  'git commit "--amend"',
  "KAFKA-14462; [5/N] Add an accumulator (#13505)",
  "count(id)",
  "exec summary",
  "C:\\Users\\bob",
  '( "<" | ">" | "=" )',
  "the 'or' operator",
  "between 1 and 10",
  "5;",
  "12;",
  "1 LIMIT 1",
  "2 like 2",
  "true or false",
  "abs(-1)",
  "version()",
  "",
]

describe("sqlTwin", () => {
  test.each(ATTACKS)("sqlTwin sees what %p does in %p: %p", async (payload, template, kind) => {
    expect(effectsOf(await run(payload, { templates: [template] }))).toContain(kind)
  })

  test.each(DIALECTS)("sqlTwin translates %p for %p: %p", async (payload, template, kind) => {
    expect(effectsOf(await run(payload, { templates: [template] }))).toContain(kind)
  })

  test.each(BENIGN)("sqlTwin lets %p be a value", async (payload) => {
    const { attempts, inconclusive } = await run(payload)
    expect(effectsOf({ attempts } as TwinAnswer)).toEqual(new Set())
    expect(inconclusive).toBeUndefined()
  })

  test("sqlTwin finds a broken statement weak: O'Brien is not a hit", async () => {
    const { attempts } = await run("O'Brien", { templates: ["quoted"] })
    expect(attempts.map(({ effects }) => effects.map(({ kind }) => kind))).toEqual([
      ["syntax_error"],
    ])
  })

  test("sqlTwin has no effect for what is false where it would have one if it were true", async () => {
    const slept = await run("1 AND IF(1=2, SLEEP(5), 0)", { templates: ["numeric"] })
    expect(effectsOf(slept)).not.toContain("delay_measured")
    const none = await run("1 AND SLEEP(0)", { templates: ["numeric"] })
    expect(effectsOf(none)).not.toContain("delay_measured")
  })

  test("sqlTwin quotes the canary of its request in what leaked", async () => {
    for (const payload of ["1 OR 1=1", "-1 UNION SELECT hex(password) FROM users"]) {
      const { attempts } = await run(payload, { templates: ["numeric"] })
      expect(attempts[0]?.effects[0]?.detail).toContain(CANARY)
    }
  })

  test("sqlTwin says dialect where a call of another engine decides", async () => {
    expect((await run("1 AND pg_advisory_lock(1) IS NULL")).inconclusive).toBe("dialect")
  })

  test("sqlTwin refuses what is too large, and stops at its budget", async () => {
    const large = await run("a".repeat(TWIN_LIMITS.payloadBytesMax + 1))
    expect(large).toMatchObject({ inconclusive: "too_large", attempts: [] })
    expect((await run("1 OR 1=1", { budgetMs: 1e-9 })).inconclusive).toBe("budget_exceeded")
  })

  test("sqlTwin gives the same answer to the same request", async () => {
    for (const payload of ["1 OR 1=1", "x'; DROP TABLE users -- ", "1 AND SLEEP(5)"]) {
      expect(await run(payload)).toEqual(await run(payload))
    }
  })

  test("sqlTwin leaves one run nothing of another", async () => {
    const before = await run("1 OR 1=1", { templates: ["numeric"] })
    await run("1; COMMIT; DROP TABLE users")
    expect(await run("1 OR 1=1", { templates: ["numeric"] })).toEqual(before)
  })

  test("sqlTwin writes what INTO OUTFILE and ATTACH name below its work directory only", async () => {
    rmSync(join(directory, "outfile"), { force: true })
    await run("x'; ATTACH DATABASE 'a' || 'b' AS x; CREATE TABLE x.y (z) -- ")
    await run("1; VACUUM INTO 'c'")
    expect(readdirSync(directory)).toEqual([])
    await run("x' UNION SELECT '<?php ?>' INTO OUTFILE '../../x.php' -- ")
    expect(readdirSync(directory)).toEqual(["outfile"])
  })

  test("sqlTwin reports every attempt as soon as it has it", async () => {
    const reported: string[] = []
    const request = { id: "1", class: "sql_injection", location: "", canary: CANARY } as const
    const payload = "x' OR 'a'='a"
    const answer = await sqlTwin.run(
      { ...request, payload, budgetMs: 10_000 },
      directory,
      (attempt) => () => {
        reported.push(attempt.template)
      },
    )
    expect(reported.toSorted()).toEqual(answer.attempts.map(({ template }) => template).toSorted())
  })
})

describe("sqlTwin, properties", () => {
  const fragments = fc.constantFrom(
    ...["'", '"', "\\", ";", "--", "/*", "*/", "/*!", "#", "(", ")", ",", "@@", "::", "$$", "||"],
    ...["select", "union", "from", "users", "or", "1=1", "if", "waitfor delay", "exec", "cast("],
    ...["into outfile", "order by", "limit", "x", "0x41", " ", "\n", "\0", "é", "\ud800"],
  )

  test("sqlTwin is total, and bounded, for whatever text", async () => {
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 60 }),
      fc.array(fragments, { maxLength: 14 }).map((parts) => parts.join(" ")),
      fc.array(fragments, { maxLength: 14 }).map((parts) => parts.join("")),
    )
    await fc.assert(
      fc.asyncProperty(text, async (payload) => {
        const answer = await run(payload)
        expect(answer.attempts.length).toBeLessThanOrEqual(TWIN_LIMITS.attemptsMax)
        expect(answer.controlAttempts).toEqual([])
      }),
      { numRuns: 150 },
    )
  }, 60_000)

  test("sqlTwin never hits for letters and digits", async () => {
    const word = fc.string({ unit: fc.constantFrom(..."abcdefnorsu0123456789"), maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(word, async (payload) => {
        expect((await run(payload)).attempts).toEqual([])
      }),
      { numRuns: 100 },
    )
  }, 60_000)

  test("sqlTwin never hits for a value between quotes that are doubled", async () => {
    const text = fc.string({ maxLength: 30 }).map((value) => value.replace(/[\\"]/g, ""))
    await fc.assert(
      fc.asyncProperty(text, async (value) => {
        const payload = value.replaceAll("'", "''")
        const templates = ["quoted", "like", "login_name", "insert_last", "update"]
        expect(effectsOf(await run(payload, { templates }))).toEqual(new Set())
      }),
      { numRuns: 100 },
    )
  }, 60_000)
})
