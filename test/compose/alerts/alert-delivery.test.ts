import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Alert, AlertStore } from "../../../src/alert.ts"
import { AlertDeliveries } from "../../../src/compose/alerts/alert-delivery.ts"
import { UnavailableError } from "../../../src/errors.ts"
import { webhook } from "../../../src/services/webhook.ts"
import { openAlertStore } from "../../../src/store/alert-store.ts"
import { someAlert } from "../../support/alerts.ts"
import { FakeClock } from "../../support/fake-clock.ts"
import { startReceiver, type WebhookReceiver } from "../../support/webhook-receiver.ts"

let directory: string
let store: AlertStore
let receiver: WebhookReceiver
let clock: FakeClock
let tried: string[]
let deliveries: AlertDeliveries

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "deliveries-"))
  clock = new FakeClock()
  store = openAlertStore(directory, { targets: ["webhook"], clock })
  receiver = startReceiver()
  tried = []
})
afterEach(async () => {
  await deliveries.stop()
  await receiver[Symbol.asyncDispose]()
  await store.close()
  rmSync(directory, { recursive: true })
})

function deliverTo(url = receiver.url, timeoutMs = 10_000): void {
  const secrets = ["a-secret-of-some-length"]
  deliveries = new AlertDeliveries({
    ...{ store, clock, random: () => 0.5 },
    target: webhook({ url, secrets, clock, timeoutMs }),
    onTried: (outcome, code) => tried.push(`${outcome} ${code}`.trim()),
  })
}

const queue = (...ids: string[]) => queueAlerts(ids.map((event_id) => someAlert({ event_id })))

async function queueAlerts(alerts: readonly Alert[]): Promise<void> {
  await store.round(() => ({ groups: [], closed: [], alerts }))
  deliveries.wake()
}

/** Resolves when nothing waits any more; time passes meanwhile as it is slept. */
const emptied = async () => {
  while (store.waiting("webhook") > 0) await new Promise((resolve) => setImmediate(resolve))
}
/** As long as the real server takes. */
const passTime = (until: Promise<void>) => clock.settle(until, Number.POSITIVE_INFINITY)
const ids = () => receiver.accepted.map(({ alert }) => alert.event_id)

describe("AlertDeliveries", () => {
  test("AlertDeliveries delivers what waits, in order, and sleeps until it is woken", async () => {
    deliverTo()
    await queue("a", "b")
    await receiver.until(2)
    await queue("c")
    await receiver.until(3)
    await emptied()
    expect(ids()).toEqual(["a", "b", "c"])
    expect(tried).toEqual(["delivered", "delivered", "delivered"])
  })

  test("AlertDeliveries loses nothing to a receiver that is down, slow and answers 500", async () => {
    const { port } = new URL(receiver.url)
    const { url } = receiver
    await receiver[Symbol.asyncDispose]()
    deliverTo(url, 50)
    await queue("a", "b")
    const isTried = async (outcome: string) => {
      while (!tried.includes(outcome)) await new Promise((resolve) => setImmediate(resolve))
    }
    await passTime(isTried("retry UNREACHABLE"))
    receiver = startReceiver(Number(port))
    const late = Promise.withResolvers<Response>()
    receiver.answer = () => late.promise
    await passTime(isTried("retry TIMEOUT"))
    receiver.answer = () => new Response(null, { status: 500 })
    await passTime(isTried("retry HTTP_500"))
    receiver.answer = () => new Response(null, { status: 204 })
    late.resolve(new Response(null, { status: 500 }))
    await passTime(emptied())
    // a busy machine may be slow as well: then one comes twice
    expect([...new Set(ids())]).toEqual(["a", "b"])
    expect(Math.max(...clock.sleepsMs)).toBeLessThanOrEqual(300_000)
  })

  test("AlertDeliveries delivers only the latest of the updates that came during an outage", async () => {
    receiver.answer = () => new Response(null, { status: 503 })
    const updates = (...event_ids: string[]) =>
      event_ids.map((event_id) => someAlert({ event_id, status: "updated" }))
    deliverTo()
    await queueAlerts(updates("a-2"))
    while (tried.length === 0) await new Promise((resolve) => setImmediate(resolve))
    await queueAlerts(updates("a-3", "a-4"))
    receiver.answer = () => new Response(null, { status: 204 })
    await passTime(emptied())
    expect(ids()).toEqual(["a-4"])
  })

  test("AlertDeliveries gives up an alert that is refused five times, and goes on", async () => {
    receiver.answer = () => new Response(null, { status: receiver.asked <= 5 ? 422 : 204 })
    deliverTo()
    await queue("a", "b")
    await passTime(emptied())
    expect(ids()).toEqual(["b"])
    const refused = [...Array.from({ length: 4 }, () => "retry HTTP_422"), "refused HTTP_422"]
    expect(tried).toEqual([...refused, "delivered"])
  })

  test("AlertDeliveries gives up an alert that waited for a day, after one more try", async () => {
    receiver.answer = () => new Response(null, { status: 503, headers: { "retry-after": "3600" } })
    deliverTo()
    await queue("a")
    await passTime(emptied())
    expect(tried.at(-1)).toBe("expired HTTP_503")
    expect(tried).toHaveLength(25)
    expect(new Set(clock.sleepsMs)).toEqual(new Set([3_600_000]))
  })

  test("AlertDeliveries goes on after its store failed", async () => {
    const { settle } = store
    let failures = 2
    store.settle = (...which) => {
      failures -= 1
      return failures < 0 ? settle.apply(store, which) : Promise.reject(new UnavailableError("it"))
    }
    deliverTo()
    await queue("a", "b")
    await passTime(emptied())
    expect(ids()).toEqual(["a", "a", "a", "b"])
  })

  test("AlertDeliveries delivers again what a crash interrupted, with the same id", async () => {
    deliverTo()
    receiver.answer = () => new Response(null, { status: 500 })
    await queue("a")
    while (tried.length === 0) await new Promise((resolve) => setImmediate(resolve))
    await deliveries.stop()
    await store.close()
    store = openAlertStore(directory, { targets: ["webhook"], clock })
    receiver.answer = () => new Response(null, { status: 204 })
    deliverTo()
    await receiver.until(1)
    expect(receiver.accepted[0]?.headers["webhook-id"]).toBe("a")
    await emptied()
  })
})
