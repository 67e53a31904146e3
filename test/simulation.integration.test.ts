import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { kafkaClient } from "../src/connectors/kafka-client.ts"
import { SIMULATION_COMPLETE_TOPIC } from "../src/connectors/kafka-simulation-complete.ts"
import type { SimulationResult } from "../src/simulation-result.ts"
import { findServer } from "../src/store/data-directory.ts"
import { requireFreshServer, requireService } from "./support/services.ts"
import { readTopics } from "./support/topic-reader.ts"
import { until } from "./support/until.ts"

/*
 * Goal: a session that a honeypot recorded is tried in real containers and ends in a proof, whatever
 * happens to the process. Method: the example sessions through the API of a real server, killed with
 * SIGKILL while its first payload runs; once with its own queue, once with Kafka's.
 */

const ROOT = join(import.meta.dir, "..")
const docker = await requireService("docker")
const kafka = docker && (await requireFreshServer("kafka"))
setDefaultTimeout(1_800_000)

interface Job {
  readonly job_id: string
  readonly status: string
  readonly event_id?: string
  readonly session_id: string
  readonly result?: SimulationResult
}

let directory: string
let server: Bun.Subprocess | undefined

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "simulation-"))
})

afterEach(async () => {
  server?.kill("SIGTERM")
  await server?.exited
  await rm(directory, { recursive: true, force: true })
})

function start(environment: Readonly<Record<string, string>> = {}) {
  server = Bun.spawn([join(ROOT, "sentinel"), "start"], {
    env: {
      ...process.env,
      ...{ SENTINEL_DATA_DIR: directory, SENTINEL_PORT: "0", SENTINEL_SANDBOX: "docker" },
      DOCKER_HOST: docker?.dockerHost ?? "",
      ...environment,
    },
    ...({ stdin: "ignore", stdout: "ignore" } as const),
    stderr: Bun.file(join(directory, `server-${performance.now()}.log`)),
  })
}

/** Undefined while the server is not up. */
async function ask(path: string, init: RequestInit = {}) {
  const found = findServer(directory)
  if (found === undefined) return undefined
  const url = `http://127.0.0.1:${found.port}/api/v1/sentinel/${path}`
  const response = await fetch(url, init).catch(() => undefined)
  return response?.ok ? response.json() : undefined
}

async function submit(example: string): Promise<string> {
  const evidence = await Bun.file(join(ROOT, "examples", `${example}.json`)).json()
  const body = JSON.stringify({ evidence })
  const headers = { "content-type": "application/json" }
  const answer = await until(() => ask("evidence", { method: "POST", headers, body }))
  return answer.event_id
}

const jobs = async (): Promise<readonly Job[]> => (await ask("simulations"))?.simulations ?? []

/** Until the analysis has judged it and every task that it made is done. */
function settled(eventId: string) {
  return until(async () => {
    const verdict = await ask(`verdicts/${eventId}`)
    const topology = await ask("topology")
    const queue = topology?.running.simulations
    const isOver = queue?.ready === 0 && queue.leased === 0
    const ofEvent = (await jobs()).filter((job) => job.event_id === eventId)
    const areDone = ofEvent.every(({ status }) => status === "completed")
    return verdict !== undefined && isOver && areDone ? { verdict, jobs: ofEvent } : undefined
  })
}

async function tryExamples(environment: Readonly<Record<string, string>> = {}) {
  start(environment)
  await until(async () => (await ask("sandbox"))?.driver === "docker")
  const attack = await submit("attack-session")
  await until(async () => (await jobs()).some(({ status }) => status === "running"))
  server?.kill("SIGKILL")
  await server?.exited
  start(environment)
  await until(async () => (await ask("sandbox"))?.driver === "docker")
  const benign = await submit("benign-session")
  return { attack: await settled(attack), benign: await settled(benign), attackId: attack }
}

function expectProof(attack: Awaited<ReturnType<typeof settled>>): void {
  expect(attack.verdict.verdict.verdict).toBe("simulate")
  const proven = attack.jobs.filter(({ result }) => result?.verdict === "exploit_possible")
  const injection = proven.find(({ result }) => result?.attack_type === "sql_injection")
  expect(injection?.result).toMatchObject({
    driver: { name: "docker" },
    proof: { effect: expect.any(String) },
    minimised_payload: expect.any(String),
  })
  expect(injection?.result?.exploit_score).toBeGreaterThan(0.9)
  expect(injection?.result?.severity).toBeGreaterThan(7)
  expect(injection?.result?.driver.image_digest).toMatch(/^sha256:[0-9a-f]{64}$/)
}

describe.skipIf(docker === undefined)("sentinel start, simulating in Docker", () => {
  test("start proves the attack of a recorded session, killed while it runs, and tries no benign one", async () => {
    const { attack, benign } = await tryExamples()
    expectProof(attack)
    expect(benign).toMatchObject({ verdict: { verdict: { verdict: "benign" } }, jobs: [] })
  })
})

describe.skipIf(kafka === undefined)("sentinel start, simulating over Kafka", () => {
  test("start takes its tasks from the topic and publishes each proof once, killed or not", async () => {
    const brokers = kafka?.brokers ?? []
    const { attack, attackId } = await tryExamples({ KAFKA_BOOTSTRAP_SERVERS: brokers.join(",") })
    expectProof(attack)
    const events = new Map<string, Record<string, unknown>>()
    const reader = await readTopics(
      kafkaClient({ brokers }),
      [SIMULATION_COMPLETE_TOPIC],
      ({ value }) => {
        const event = JSON.parse(new TextDecoder().decode(value))
        // at least once: what is repeated is equal
        expect(events.get(event.event_id) ?? event).toEqual(event)
        events.set(event.event_id, event)
      },
    )
    const conclusive = attack.jobs.filter(({ result }) => result?.verdict !== "inconclusive")
    await reader.until(() => events.size >= conclusive.length)
    await reader.close()
    for (const { job_id, result } of conclusive) {
      expect(events.get(`simulation_complete-${job_id}`)).toMatchObject({
        ...{ source: "sentinel", event_type: "simulation_complete", simulation_id: job_id },
        ...{ session_id: "example-attack-1", meta: { evidence_event_id: attackId } },
        result: { verdict: result?.verdict, attack_type: result?.attack_type },
      })
    }
  })
})
