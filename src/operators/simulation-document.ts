import { redactCredentials } from "../evidence/redact.ts"
import type { OutsideMeasurement, SandboxDescription } from "../ports.ts"
import type {
  DriverDocument,
  OutsideDocument,
  SimulationJob,
  SimulationResult,
  SimulationSubject,
} from "../simulation-result.ts"

const SHOWN_CHARACTERS = 256

type Payload = Pick<SimulationSubject, "class" | "value" | "location">

/** A payload as it may be shown: credentials masked, cut, well-formed. */
export function payloadDocument({ class: type, value, location }: Payload) {
  return { type, value: shown(value, location), location } satisfies SimulationJob["payload"]
}

function shown(value: string, location: string): string {
  return redactCredentials(value, location).slice(0, SHOWN_CHARACTERS).toWellFormed()
}

/** A result as it may be stored, shown and published: whatever quotes the payload is masked. */
export function maskResult(result: SimulationResult, location: string): SimulationResult {
  const { proof, minimised_payload: minimised, signals } = result
  const mask = (text: string) => redactCredentials(text).toWellFormed()
  return {
    ...result,
    signals: signals.map((signal) => ({ ...signal, detail: mask(signal.detail) })),
    ...(proof && {
      proof: { ...proof, program: mask(proof.program), observed: mask(proof.observed) },
    }),
    ...(minimised !== undefined && {
      minimised_payload: redactCredentials(minimised, location).toWellFormed(),
    }),
    evidence: result.evidence.map(mask),
    reproduction_steps: result.reproduction_steps.map(mask),
  }
}

export function driverDocument(description: SandboxDescription): DriverDocument {
  const { driver: name, runtime, imageDigest, limits } = description
  return {
    name,
    ...(runtime !== undefined && { runtime }),
    ...(imageDigest !== undefined && { image_digest: imageDigest }),
    limits,
  }
}

export function outsideDocument(outside: OutsideMeasurement): OutsideDocument {
  const { wallMs, cpuMs, memoryPeakBytes, exitCode, timedOut, outOfMemory } = outside
  return {
    wall_ms: wallMs,
    ...(cpuMs !== undefined && { cpu_ms: cpuMs }),
    ...(memoryPeakBytes !== undefined && { memory_peak_bytes: memoryPeakBytes }),
    ...(exitCode !== undefined && { exit_code: exitCode }),
    timed_out: timedOut,
    out_of_memory: outOfMemory,
  }
}
