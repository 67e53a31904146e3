import type { Session } from "../../events.ts"
import { Random } from "../random.ts"
import {
  enumerationSession,
  lowAndSlowSession,
  scannerSession,
  stuffingSession,
} from "./attack-populations.ts"
import { apiSession, browserSession, crawlerSession, monitorSession } from "./benign-populations.ts"

/** attack: carries payloads. anomalous: misbehaves without one. benign: neither. */
export type SessionTruth = "benign" | "attack" | "anomalous"

interface Population {
  readonly truth: SessionTruth
  /** Share among the populations of the same truth. */
  readonly weight: number
  readonly draw: (random: Random) => Session
}

/** Every population by name. Models are trained on the benign ones alone. */
export const POPULATIONS = {
  browser: { truth: "benign", weight: 0.55, draw: browserSession },
  api_client: { truth: "benign", weight: 0.25, draw: apiSession },
  crawler: { truth: "benign", weight: 0.1, draw: crawlerSession },
  monitoring: { truth: "benign", weight: 0.1, draw: monitorSession },
  scanner: { truth: "attack", weight: 0.5, draw: scannerSession },
  low_and_slow: { truth: "attack", weight: 0.5, draw: lowAndSlowSession },
  credential_stuffing: { truth: "anomalous", weight: 0.5, draw: stuffingSession },
  enumeration: { truth: "anomalous", weight: 0.5, draw: enumerationSession },
} as const satisfies Record<string, Population>

export type PopulationName = keyof typeof POPULATIONS

const POPULATION_NAMES = Object.keys(POPULATIONS) as PopulationName[]

export interface GeneratedSession {
  readonly session: Session
  readonly truth: SessionTruth
  readonly population: PopulationName
}

export interface GeneratorOptions {
  readonly seed: number
  readonly count: number
  /** Relative shares by truth; default benign only. */
  readonly mix?: Readonly<Partial<Record<SessionTruth, number>>>
}

/** Share of sessions whose recording is poor: no times, no sizes or no headers but the agent. */
const POOR_RECORDING_SHARE = 0.12

/** Draws `count` sessions. The same options give the same sessions, byte for byte. */
export function* generateSessions(options: GeneratorOptions): Generator<GeneratedSession> {
  const random = new Random(options.seed)
  const mix = options.mix ?? { benign: 1 }
  const weights = POPULATION_NAMES.map((name) => {
    const { truth, weight } = POPULATIONS[name]
    return weight * (mix[truth] ?? 0)
  })
  for (let i = 0; i < options.count; i++) {
    const population = pickWeighted(random, weights)
    const { truth, draw } = POPULATIONS[population]
    yield { session: recorded(random, draw(random)), truth, population }
  }
}

function pickWeighted(random: Random, weights: readonly number[]): PopulationName {
  let left = random.next() * weights.reduce((sum, weight) => sum + weight, 0)
  for (const [i, name] of POPULATION_NAMES.entries()) {
    left -= weights[i] ?? 0
    if (left < 0) return name
  }
  return "browser"
}

/** Producers do not always record times, sizes and headers: sessions look like that too. */
function recorded(random: Random, session: Session): Session {
  const withoutTimes = random.chance(POOR_RECORDING_SHARE)
  const withoutSizes = random.chance(POOR_RECORDING_SHARE)
  const withoutHeaders = random.chance(POOR_RECORDING_SHARE)
  if (!withoutTimes && !withoutSizes && !withoutHeaders) return session
  const requests = session.requests.map((request) => ({
    ...request,
    ...(withoutTimes ? { startedMs: undefined, timeMs: 0 } : {}),
    ...(withoutSizes ? { responseBytes: 0 } : {}),
    ...(withoutHeaders ? { headers: request.headers.slice(0, 1) } : {}),
  }))
  return { ...session, requests }
}
