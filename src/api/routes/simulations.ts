import { MalformedError, TooLargeError } from "../../errors.ts"
import type { SimulationQuery } from "../../ports/simulation-store.ts"
import type { SimulationJob, SimulationVerdict } from "../../simulation-result.ts"
import { TWIN_LIMITS } from "../../twin-protocol.ts"
import { readJson } from "../body.ts"
import { HttpError } from "../http-error.ts"
import type { OperatingParts, SimulationRequest, Simulations } from "../parts.ts"
import { createReader } from "../schemas.ts"
import {
  simulateAnswer,
  simulateRequest,
  simulationAnswer,
  simulationsAnswer,
} from "../simulation-schemas.ts"
import { PAGE_PARAMETERS, readPageQuery, readText } from "./page-query.ts"
import { BASE, type QueryParameter, type Route } from "./route.ts"

interface Operated {
  readonly operating: OperatingParts
}

/** A payload of 16 KiB, every byte of it escaped. */
const BODY_BYTES_MAX = 128 * 1_024
const SESSION_ID_MAX = 512
const VERDICTS: readonly SimulationVerdict[] = [
  "exploit_possible",
  "exploit_improbable",
  "inconclusive",
]
const PARAMETERS: readonly QueryParameter[] = [
  { name: "event_id", description: "only payloads of this evidence" },
  { name: "verdict", description: `only results with this verdict: ${VERDICTS.join(", ")}` },
  ...PAGE_PARAMETERS,
]

/** Payloads that are tried in the sandbox, and what came of them. */
export function simulationRoutes(parts: Operated): readonly Route[] {
  return [simulate(parts), showSimulation(parts), listSimulations(parts)]
}

function simulate(parts: Operated): Route {
  const read = createReader(simulateRequest)
  return {
    method: "POST",
    path: `${BASE}/simulate`,
    summary: "Try one payload in the sandbox; GET sim-result has the answer",
    status: 202,
    changes: true,
    bytesMax: BODY_BYTES_MAX,
    body: simulateRequest,
    answer: simulateAnswer,
    async handle({ request }) {
      const simulations = simulationsOf(parts)
      const { payload, metadata } = read(await readJson(request, BODY_BYTES_MAX))
      if (Buffer.byteLength(payload.value) > TWIN_LIMITS.payloadBytesMax) {
        throw new TooLargeError("payload.value", TWIN_LIMITS.payloadBytesMax)
      }
      const wanted: SimulationRequest = {
        ...{ type: payload.type, value: payload.value, location: payload.location ?? "" },
        sessionId: sessionIdOf(metadata ?? {}),
      }
      const { simulation_id, status } = await simulations.submit(wanted)
      return { job_id: simulation_id, status, message: "the simulation is queued" }
    },
  }
}

function sessionIdOf(metadata: object): string {
  const given = Object.hasOwn(metadata, "session_id") && "session_id" in metadata
  const sessionId = given ? metadata.session_id : "unknown"
  if (typeof sessionId === "string" && sessionId !== "" && sessionId.length <= SESSION_ID_MAX) {
    return sessionId
  }
  throw new MalformedError("metadata.session_id", `1 to ${SESSION_ID_MAX} characters`)
}

function showSimulation(parts: Operated): Route {
  return {
    method: "GET",
    path: `${BASE}/sim-result/:job_id`,
    summary: "What a simulation resulted in",
    isPrivate: true,
    answer: simulationAnswer,
    handle({ params }) {
      const job = simulationsOf(parts).byId(params.job_id ?? "")
      if (job === undefined) throw new HttpError("NOT_FOUND")
      return jobDocument(job)
    },
  }
}

function listSimulations(parts: Operated): Route {
  return {
    method: "GET",
    path: `${BASE}/simulations`,
    summary: "Simulations, newest first",
    query: PARAMETERS,
    isPrivate: true,
    answer: simulationsAnswer,
    handle({ request }) {
      const query = readQuery(new URL(request.url).searchParams)
      const { items, cursor = null } = simulationsOf(parts).query(query)
      return { simulations: items.map(jobDocument), count: items.length, cursor }
    },
  }
}

function readQuery(search: URLSearchParams): SimulationQuery {
  const eventId = readText(search, "event_id")
  const word = readText(search, "verdict")
  const verdict = VERDICTS.find((known) => known === word)
  if (word !== undefined && verdict === undefined) {
    throw new MalformedError("verdict", `one of ${VERDICTS.join(", ")}`)
  }
  return {
    ...readPageQuery(search),
    ...(eventId !== undefined && { eventId }),
    ...(verdict !== undefined && { verdict }),
  }
}

function jobDocument({ simulation_id, ...job }: SimulationJob) {
  return { job_id: simulation_id, ...job }
}

function simulationsOf({ operating }: Operated): Simulations {
  if (operating.simulations !== undefined) return operating.simulations
  throw new HttpError("UNAVAILABLE", "this process simulates nothing: `start` does")
}
