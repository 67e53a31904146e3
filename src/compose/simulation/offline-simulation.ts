import { systemClock } from "../../clock.ts"
import type { Config } from "../../config.ts"
import { SandboxUnavailableError } from "../../errors.ts"
import type { Logger } from "../../log.ts"
import { minimisePayloads } from "../../operators/minimise-payload.ts"
import { planSimulation } from "../../operators/plan-simulation.ts"
import { auditedResult } from "../../operators/record-simulations.ts"
import { scoreExploits } from "../../operators/score-exploit.ts"
import { simulatePayloads } from "../../operators/simulate-payloads.ts"
import type { AuditLog, Sandbox } from "../../ports/sandbox.ts"
import type { SimulationTask } from "../../ports/simulation-queue.ts"
import { buildTrials } from "../../simulation.ts"
import type { JudgedSubject } from "../../simulation-result.ts"
import { ownDataDirectory } from "../../store/data-directory.ts"
import { Evaluation } from "../../stream/evaluate.ts"
import { openSandboxAudit } from "../audit-log.ts"
import { observeNothing } from "../engine-observer.ts"
import { openSandbox } from "../sandbox.ts"

/**
 * The simulation flow for one task, without its queue and its sinks: nothing is stored but in the
 * audit log. For a data directory whose server is down.
 * @throws SandboxUnavailableError, SandboxPanickedError, DataDirectoryInUseError
 */
export async function simulateOffline(
  { config, log }: { config: Config; log: Logger },
  task: SimulationTask,
  signal: AbortSignal,
): Promise<readonly JudgedSubject[]> {
  await using stack = new AsyncDisposableStack()
  const data = ownDataDirectory(config.dataDir)
  stack.defer(() => data.release())
  const { paths } = data
  const audit = await openSandboxAudit({ paths, log }, stack)
  const sandbox = openSandbox({ config: config.sandbox, stateDirectory: paths.sandbox, audit, log })
  stack.defer(() => sandbox.close())
  await sandbox.ready()
  const { driver, notes } = sandbox.describe()
  if (driver === "none") throw new SandboxUnavailableError(notes.join("; "))
  // awaited here: leaving closes the sandbox
  return await judge(task, { config, sandbox, audit }, signal)
}

async function judge(
  task: SimulationTask,
  { config, sandbox, audit }: { config: Config; sandbox: Sandbox; audit: AuditLog },
  signal: AbortSignal,
): Promise<readonly JudgedSubject[]> {
  const store = { byId: () => undefined, put: () => Promise.resolve() }
  const trying = { sandbox, clock: systemClock, concurrency: 1 }
  const flow = buildTrials({
    plan: planSimulation({
      ...{ store, clock: systemClock, taskTimeoutMs: config.sandbox.timeoutMs },
    }),
    simulate: simulatePayloads(trying),
    score: scoreExploits(),
    minimise: minimisePayloads(trying),
  })
  const parts = { clock: systemClock, observer: observeNothing, random: Math.random }
  const { judged } = await new Evaluation(flow, parts).evaluate(taskRecord(task), signal)
  for (const one of judged) await audit.append("result", auditedResult(one))
  return judged
}

function taskRecord(task: SimulationTask) {
  const nowMs = systemClock.nowMs()
  const value = new TextEncoder().encode(JSON.stringify(task))
  const place = { topic: "simulations", partition: 0, offset: 0n, key: null, headers: {} }
  return { ...place, value, timestampMs: nowMs, receivedAtMs: nowMs }
}
