import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { GatekeeperRefusedError, UnavailableError } from "../../src/errors.ts"
import { gatekeeperClient } from "../../src/services/gatekeeper-client.ts"
import { startGatekeeper, type TestGatekeeper } from "../support/gatekeeper/gatekeeper.ts"
import { someRule } from "../support/some-rule.ts"

let server: TestGatekeeper
beforeAll(async () => {
  server = await startGatekeeper()
})
afterAll(() => server[Symbol.asyncDispose]())

const client = (token = server.token) =>
  gatekeeperClient({ url: server.url, token, timeoutMs: 500 })
const attack = { url: "/item?q=%27+union  seLect 1", body: "", headers: {} }

describe("gatekeeperClient", () => {
  test("create, get, toggle, list and remove speak the contract", async () => {
    const rule = someRule({ rule_id: "life-of-a-rule" })
    expect(await client().create(rule)).toBe("created")
    expect(await client().create(rule)).toBe("exists")
    expect(await client().get("life-of-a-rule")).toEqual(rule)
    await client().toggle("life-of-a-rule", false)
    expect(await client().list()).toEqual([])
    expect((await client().get("life-of-a-rule"))?.enabled).toBe(false)
    expect(await client().remove("life-of-a-rule")).toBe("removed")
    expect(await client().remove("life-of-a-rule")).toBe("absent")
    expect(await client().get("life-of-a-rule")).toBeUndefined()
  })

  test("a created rule blocks by its own id", async () => {
    const match = { ...someRule().match, pattern: "[uU][nN][iI][oO][nN][ +]{1,8}se" }
    await client().create(someRule({ rule_id: "blocks", match }))
    const { action, reason } = await server.inspect({ ...attack, url: "/item?q=onion+UNION++sex" })
    expect([action, reason]).toEqual(["block", "Blocked by rule: blocks"])
    await client().remove("blocks")
  })

  test("a wrong token is refused, and the error does not hold it", async () => {
    const refused = client("wrong-token").list()
    await expect(refused).rejects.toThrow(GatekeeperRefusedError)
    await expect(refused).rejects.not.toThrow("wrong-token")
  })

  test("a rule that Gatekeeper finds malformed is refused, without an echo", async () => {
    const created = client().create(someRule({ match: "x" as never }))
    await expect(created).rejects.toThrow("status 422")
  })

  test("an id that would leave its path is not sent", async () => {
    await expect(client().remove("../inspect")).rejects.toThrow(GatekeeperRefusedError)
  })

  test("list leaves out what has a name that no rule of Sentinel has", async () => {
    const rules = ["../../x", "of-another"].map((rule_id) => ({ ...someRule(), rule_id }))
    for (const rule of rules) {
      await fetch(`${server.url}/api/v1/gatekeeper/rules`, {
        method: "POST",
        headers: { authorization: `Bearer ${server.token}` },
        body: JSON.stringify({ rule }),
      })
    }
    expect((await client().list()).map(({ rule_id }) => rule_id)).toEqual(["of-another"])
    await client().remove("of-another")
  })

  test("an answer without an end, or beyond 16 MiB, is none", async () => {
    const chunk = new Uint8Array(1_048_576).fill(32)
    let sent = 0
    using endless = Bun.serve({
      port: 0,
      fetch: () =>
        new Response(
          new ReadableStream({
            pull(controller) {
              sent += 1
              controller.enqueue(chunk)
            },
          }),
        ),
    })
    const asking = gatekeeperClient({ url: endless.url.href, token: "t", timeoutMs: 20_000 })
    await expect(asking.list()).rejects.toThrow(UnavailableError)
    expect(sent).toBeLessThan(100)
  })

  test("500, slowness and silence are worth another try", async () => {
    await server.fail({ status: 500 })
    await expect(client().list()).rejects.toThrow(UnavailableError)
    await server.fail({ delay_seconds: 1 })
    await expect(client().list()).rejects.toThrow(UnavailableError)
    await server.fail({})
    const nobody = gatekeeperClient({ url: "http://127.0.0.1:1", token: "t" })
    await expect(nobody.list()).rejects.toThrow(UnavailableError)
  })
})
