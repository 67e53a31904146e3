import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Client } from "minio"
import { idempotentProducer, kafkaClient } from "../src/connectors/kafka-client.ts"
import { RULE_GENERATED_TOPIC } from "../src/connectors/kafka-rule-generated.ts"
import type { Verdict } from "../src/events.ts"
import type { Rule, StoredRule } from "../src/rule.ts"
import { findServer } from "../src/store/data-directory.ts"
import { startGatekeeper, type TestGatekeeper } from "./support/gatekeeper/gatekeeper.ts"
import { attackSession, benignSession, type RecordedSession } from "./support/recorded-session.ts"
import { requireFreshServer, requireService } from "./support/services.ts"
import { readTopics } from "./support/topic-reader.ts"
import { until } from "./support/until.ts"

/*
 * Goal: what a honeypot recorded is what the WAF blocks, seconds later and without a person, and
 * nothing else is; killed and forgotten in between or not. Method: evidence of one SQL injection goes into MinIO and is announced over Kafka
 * to a real server, which proves it in containers; a Gatekeeper whose rules are Python's `re` is then
 * asked about the recorded request, a rewriting of it, and a benign session's requests.
 */

const ROOT = join(import.meta.dir, "..")
const docker = await requireService("docker")
const kafka = docker && (await requireFreshServer("kafka"))
const minio = kafka && (await requireFreshServer("minio"))
setDefaultTimeout(1_800_000)

const BUCKET = "evidence"
const directory = mkdtempSync(join(tmpdir(), "rules-end-to-end-"))
const stack = new AsyncDisposableStack()
afterAll(async () => {
  await stack.disposeAsync()
  rmSync(directory, { recursive: true, force: true })
})

async function ask<Answer>(path: string): Promise<Answer | undefined> {
  const found = findServer(directory)
  if (found === undefined) return undefined
  const url = `http://127.0.0.1:${found.port}/api/v1/sentinel/${path}`
  const response = await fetch(url).catch(() => undefined)
  return response?.ok ? ((await response.json()) as Answer) : undefined
}

function sentinel(command: readonly string[], gatekeeper: TestGatekeeper) {
  return Bun.spawn([join(ROOT, "sentinel"), ...command], {
    env: {
      ...process.env,
      ...{ SENTINEL_DATA_DIR: directory, SENTINEL_PORT: "0", SENTINEL_SANDBOX: "docker" },
      DOCKER_HOST: docker?.dockerHost ?? "",
      KAFKA_BOOTSTRAP_SERVERS: kafka?.brokers.join(",") ?? "",
      MINIO_ENDPOINT: `${minio?.host}:${minio?.port}`,
      MINIO_ACCESS_KEY: minio?.accessKey ?? "",
      MINIO_SECRET_KEY: minio?.secretKey ?? "",
      ...{ GATEKEEPER_API_URL: gatekeeper.url, GATEKEEPER_API_TOKEN: gatekeeper.token },
    },
    ...({ stdin: "ignore", stdout: "ignore" } as const),
    stderr: Bun.file(join(directory, `${command[0]}-${performance.now()}.log`)),
  })
}

function startServer(gatekeeper: TestGatekeeper) {
  const server = sentinel(["start"], gatekeeper)
  stack.defer(async () => {
    server.kill("SIGTERM")
    await server.exited
  })
  return server
}

/** As the honeypot does it: first the object, then the announcement. @returns the object's digest */
async function announce({ sessionId, bytes }: RecordedSession): Promise<string> {
  const { host: endPoint = "", ...access } = minio ?? { port: 0, accessKey: "", secretKey: "" }
  const objects = new Client({ ...access, endPoint, useSSL: false })
  if (!(await objects.bucketExists(BUCKET))) await objects.makeBucket(BUCKET)
  await objects.putObject(BUCKET, `${sessionId}.json`, bytes)
  const sha256 = new Bun.CryptoHasher("sha256").update(bytes).digest("hex")
  const event = {
    ...{ event_id: `event-${sessionId}`, session_id: sessionId, source: "labyrinth" },
    ...{ timestamp: "2026-01-02T03:04:05Z", evidence_uri: `minio://${BUCKET}/${sessionId}.json` },
    ...{ sha256, tags: [], meta: {} },
  }
  const producer = idempotentProducer(kafkaClient({ brokers: kafka?.brokers ?? [] }))
  await producer.connect()
  const messages = [{ key: sessionId, value: JSON.stringify(event) }]
  await producer.send({ topic: "events.evidence_created", messages })
  await producer.disconnect()
  return sha256
}

describe.skipIf(minio === undefined)("sentinel start, with a Gatekeeper", () => {
  test("start has a recorded attack blocked, tells why from the object on, and takes it back", async () => {
    await using gatekeeper = await startGatekeeper()
    const attack = attackSession()
    const benign = benignSession()
    const before = await Promise.all(attack.requests.map((one) => gatekeeper.inspect(one)))
    expect(before.map(({ action }) => action)).not.toContain("block")

    const server = startServer(gatekeeper)
    await until(() => ask("sandbox"))
    await announce(benign)
    const sha256 = await announce(attack)
    const stored = await until(async () => {
      const listed = await ask<{ rules: readonly Rule[] }>("rules?state=active")
      const id = listed?.rules[0]?.rule_id
      return id === undefined ? undefined : ask<StoredRule>(`rules/${id}`)
    })

    const reason = `Blocked by rule: ${stored.rule.rule_id}`
    for (const request of [...attack.requests, ...attack.variants]) {
      expect(await gatekeeper.inspect(request)).toEqual({ action: "block", reason })
    }
    for (const request of benign.requests) {
      expect((await gatekeeper.inspect(request)).action).toBe("allow")
    }
    const seen = await until(() => ask<{ verdict: Verdict }>(`verdicts/event-${benign.sessionId}`))
    expect(seen.verdict.verdict).toBe("benign")

    expect(stored.rule.audit).toMatchObject({
      ...{ event_id: `event-${attack.sessionId}`, evidence_sha256: sha256 },
      ...{ session_id: attack.sessionId, integrity: "verified", simulated: true },
    })
    await expectPublished(stored.rule.rule_id)
    await expectAudited(stored, sha256)

    server.kill("SIGKILL")
    await server.exited
    await gatekeeper.fail({ forget: true })
    startServer(gatekeeper)
    await until(() => isBlocked(gatekeeper, attack))
    expect(
      await sentinel(["rules", "withdraw", "--all", "--reviewer", "ana"], gatekeeper).exited,
    ).toBe(0)
    expect(await isBlocked(gatekeeper, attack)).toBe(false)
  })
})

async function isBlocked(gatekeeper: TestGatekeeper, { requests }: RecordedSession) {
  const answers = await Promise.all(requests.map((request) => gatekeeper.inspect(request)))
  return answers.every(({ action }) => action === "block")
}

async function expectPublished(ruleId: string): Promise<void> {
  const events: { rule: Rule; action: string; session_id: string }[] = []
  const brokers = kafka?.brokers ?? []
  const reader = await readTopics(kafkaClient({ brokers }), [RULE_GENERATED_TOPIC], ({ value }) =>
    events.push(JSON.parse(new TextDecoder().decode(value))),
  )
  await reader.until(() => events.some(({ rule }) => rule.rule_id === ruleId))
  await reader.close()
  expect(events.find(({ rule }) => rule.rule_id === ruleId)?.action).toBe("auto_applied")
}

/** The chained log has the run, its result, the decision and the delivery, in this order. */
async function expectAudited({ rule }: StoredRule, sha256: string): Promise<void> {
  interface Entry {
    readonly event_type: string
    readonly data: Readonly<Record<string, unknown>>
  }
  const log = await ask<{ entries: readonly Entry[] }>("sandbox/audit-log?limit=1000")
  const states = log?.entries.filter(
    ({ event_type: type, data }) => type === "rule" && data.rule_id === rule.rule_id,
  )
  expect(states?.map(({ data }) => data.state)).toEqual(["approved", "active"])
  expect(states?.[0]?.data).toMatchObject({
    ...{ evidence_sha256: sha256, simulation_id: rule.evidence.simulation_id, by: "policy" },
  })
}
