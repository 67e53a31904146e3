import { redactCredentials } from "../evidence/redact.ts"
import type { OutsideMeasurement, SandboxDescription } from "../ports/sandbox.ts"
import type {
  DriverDocument,
  OutsideDocument,
  SimulationJob,
  SimulationResult,
  SimulationSubject,
} from "../simulation-result.ts"
import { reproductionSteps } from "./reproduction.ts"

const SHOWN_CHARACTERS = 256

type Payload = Pick<SimulationSubject, "class" | "value" | "location">

/** A payload as it may be shown: credentials masked, cut, well-formed. */
export function payloadDocument({ class: type, value, location }: Payload) {
  return { type, value: shown(value, location), location } satisfies SimulationJob["payload"]
}

function shown(value: string, location: string): string {
  return redactCredentials(value, location).slice(0, SHOWN_CHARACTERS).toWellFormed()
}

/**
 * A result as it may be stored, shown and published. Where the payload holds credentials, all that
 * quotes it is masked, and the steps say so; else only the templates would be.
 */
export function maskResult(result: SimulationResult, subject: SimulationSubject): SimulationResult {
  const { proof, signals, evidence, minimised_payload: minimised = subject.value } = result
  const maskPart = (part: string) => redactCredentials(part, subject.location)
  const secrets = [subject.value, minimised].filter((part) => maskPart(part) !== part)
  if (secrets.length === 0) return result
  const mask = (text: string) => {
    const hide = (whole: string, part: string) => whole.replaceAll(part, () => maskPart(part))
    return redactCredentials(secrets.reduce(hide, text))
  }
  const steps = proof && reproductionSteps(subject, maskPart(minimised), proof)
  return {
    ...result,
    signals: signals.map((signal) => ({ ...signal, detail: mask(signal.detail) })),
    evidence: evidence.map(mask),
    ...(proof && {
      proof: { ...proof, program: mask(proof.program), observed: mask(proof.observed) },
      minimised_payload: maskPart(minimised),
    }),
    ...(steps && {
      reproduction_steps: [...steps, "credentials are masked: put others in their place"],
    }),
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
