import { randomBytes, randomUUID } from "node:crypto"
import type { Sandbox } from "../ports/sandbox.ts"
import type { SimulationSubject, TwinTrial } from "../simulation-result.ts"
import type { SimulatedClass } from "../twin-protocol.ts"

/** What a twin of each class gives itself; milliseconds. */
const BUDGET_MS: Readonly<Record<SimulatedClass, number>> = {
  sql_injection: 3_000,
  path_traversal: 2_000,
  command_injection: 8_000,
  xss: 8_000,
}
/** What it gets beyond that before it is killed from outside. */
const GRACE_MS = 2_000
const CANARY_BYTES = 16

export interface TwinQuestion extends Pick<SimulationSubject, "class" | "location"> {
  readonly payload: string
  /** Only these; absent = all. */
  readonly templates?: readonly string[]
}

/**
 * Runs one payload in a fresh twin, with a canary that nobody has seen before.
 * @throws SandboxUnavailableError, SandboxPanickedError; both retryable
 */
export async function askTwin(
  sandbox: Pick<Sandbox, "run">,
  question: TwinQuestion,
  signal: AbortSignal,
): Promise<TwinTrial> {
  const budgetMs = BUDGET_MS[question.class]
  const canary = randomBytes(CANARY_BYTES).toString("hex")
  const request = { ...question, id: randomUUID(), canary, budgetMs }
  const run = await sandbox.run(request, { timeoutMs: budgetMs + GRACE_MS, signal })
  return { request, run }
}
