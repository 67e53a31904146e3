import { openModels } from "../compose/models.ts"
import { simulateOffline } from "../compose/simulation/offline-simulation.ts"
import { taskOfRequest } from "../compose/simulation/simulation-requests.ts"
import { type Config, readConfig } from "../config.ts"
import { asReadError, readChunks } from "../connectors/lines.ts"
import { MalformedError, TooLargeError, UnavailableError } from "../errors.ts"
import { jsonLine } from "../json-line.ts"
import type { SimulationJob, SimulationResult } from "../simulation-result.ts"
import { SIMULATED_CLASSES, type SimulatedClass, TWIN_LIMITS } from "../twin-protocol.ts"
import { terminalLog } from "./log.ts"
import { type Operations, RefusedError, runningOperations } from "./operations.ts"
import { printable } from "./printable.ts"
import { renderTable } from "./table.ts"
import { endProgress, showProgress, type Terminal } from "./terminal.ts"

export interface SimulateOptions {
  readonly class?: SimulatedClass
  readonly location: string
  readonly json?: boolean
}

const POLL_MS = 200
const WAIT_MAX_MS = 600_000

/**
 * Tries one payload in the sandbox: that of the running server, else one of its own for this once.
 *
 * @param path a file, or `-` for stdin; its bytes are the payload, a final newline included
 * @returns 1 where nothing could be concluded
 */
export async function simulate(
  path: string,
  options: SimulateOptions,
  terminal: Terminal,
): Promise<number> {
  const config = readConfig(terminal.env)
  const value = await readPayload(path)
  const type = options.class ?? (await likeliestClass(value, config))
  const payload = { type, value, location: options.location }
  showProgress(terminal, `trying it as ${type}`)
  const result =
    (await simulateOverServer(payload, config)) ?? (await simulateHere(payload, config, terminal))
  endProgress(terminal)
  await terminal.write(options.json === true ? jsonLine(result) : resultText(result))
  return result.verdict === "inconclusive" ? 1 : 0
}

async function readPayload(path: string): Promise<string> {
  const bytes = await readBounded(path === "-" ? "/dev/stdin" : path).catch((error) => {
    throw asReadError(error)
  })
  if (bytes.length === 0) throw new MalformedError("payload", "at least one byte")
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new MalformedError("payload", "UTF-8")
  }
}

async function readBounded(path: string): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of readChunks(path, true)) {
    bytes += chunk.length
    if (bytes > TWIN_LIMITS.payloadBytesMax) {
      throw new TooLargeError("payload", TWIN_LIMITS.payloadBytesMax)
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** Of the classes that have a twin, the one that the model finds likeliest. */
async function likeliestClass(text: string, config: Config): Promise<SimulatedClass> {
  const { probabilities } = (await openModels(config)).classifier.classify({ text })
  const [first, ...others] = SIMULATED_CLASSES
  return others.reduce<SimulatedClass>((best, name) => {
    return (probabilities[name] ?? 0) > (probabilities[best] ?? 0) ? name : best
  }, first)
}

interface Payload {
  readonly type: SimulatedClass
  readonly value: string
  readonly location: string
}

/** Undefined where no server runs, or the one that runs has no sandbox. */
async function simulateOverServer(
  payload: Payload,
  config: Config,
): Promise<SimulationResult | undefined> {
  const running = runningOperations(config)
  if (running === undefined) return undefined
  const job = (await running.post("/simulate", { payload })) as { readonly job_id: string }
  return waitFor(job.job_id, running)
}

/** @throws RefusedError with the code of a simulation that failed */
async function waitFor(jobId: string, running: Operations): Promise<SimulationResult> {
  for (const deadlineMs = performance.now() + WAIT_MAX_MS; performance.now() < deadlineMs; ) {
    const job = (await running.get(`/sim-result/${jobId}`)) as SimulationJob
    if (job.result !== undefined) return job.result
    if (job.error !== undefined) throw new RefusedError(job.error.code, job.error.message)
    await Bun.sleep(POLL_MS)
  }
  throw new UnavailableError("the simulation")
}

async function simulateHere(
  payload: Payload,
  config: Config,
  terminal: Terminal,
): Promise<SimulationResult> {
  const parts = { config, log: terminalLog(terminal) }
  const task = taskOfRequest({ ...payload, sessionId: "command-line" }, Date.now())
  const stopped = new AbortController()
  void terminal.stopRequested().then(() => stopped.abort())
  const [judged] = await simulateOffline(parts, task, stopped.signal)
  if (judged === undefined) throw new UnavailableError("the simulation")
  return judged.result
}

function resultText(result: SimulationResult): string {
  const { proof, driver, reason } = result
  const rows = [
    ["verdict", result.verdict],
    ...(reason === undefined ? [] : [["reason", reason]]),
    ["class", result.attack_type],
    ["score", `${result.exploit_score.toFixed(4)} of 1`],
    ["severity", `${result.severity.toFixed(1)} of 10`],
    ...result.score_derivation.map((step) => ["", `${step.score.toFixed(4)}  ${step.reason}`]),
    ...(proof === undefined
      ? []
      : [
          ["proof", `${proof.effect} in ${proof.template}`],
          ["program", proof.program],
          ["observed", proof.observed],
        ]),
    ...(result.minimised_payload === undefined ? [] : [["minimised", result.minimised_payload]]),
    ...result.evidence.map((line) => ["evidence", line]),
    ["techniques", result.techniques.join(", ") || "-"],
    ["templates", String(result.templates_tried)],
    ["sandbox", `${driver.name}${driver.runtime === undefined ? "" : ` (${driver.runtime})`}`],
    ["time", `${result.execution_time_ms.toFixed(0)} ms`],
  ]
  return renderTable(rows.map(([name = "", text = ""]) => [name, printable(text)]))
}
