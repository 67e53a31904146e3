import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { DEFAULT_ATTACKERS_MAX, DEFAULT_LIFE_MS } from "../src/alerts/group-occurrences.ts"
import { systemClock } from "../src/clock.ts"
import { AlertGroups } from "../src/compose/alerts/alert-groups.ts"
import { alertSinks } from "../src/compose/alerts/alert-sinks.ts"
import { createAnalyzer } from "../src/compose/analyzer.ts"
import { openModels } from "../src/compose/models.ts"
import { readConfig } from "../src/config.ts"
import type { ExplainedVerdict } from "../src/events.ts"
import { openAlertStore } from "../src/store/alert-store.ts"
import { openVerdictStore } from "../src/store/verdict-store.ts"
import { cpuMicrosecondsEach, type Row, row, type SuiteOptions } from "./harness.ts"
import { CONTEXT } from "./harness-operators.ts"

export const services = [] as const

const EXAMPLE = resolve(import.meta.dir, "../examples/attack-session.json")
/** As many as the sink of the flow lets in. */
const AT_ONCE = 256
const THRESHOLD = 0.75

/** What alerts cost a verdict, beside what it costs to store that verdict. */
export async function run({ quick, progress }: SuiteOptions): Promise<readonly Row[]> {
  const count = quick ? 2_000 : 20_000
  const directory = await mkdtemp(join(tmpdir(), "sentinel-bench-"))
  await using stack = new AsyncDisposableStack()
  stack.defer(() => rm(directory, { recursive: true, force: true }))
  const verdicts = await similarVerdicts(count)
  progress(`${count} verdicts into the store`)
  const store = openVerdictStore(directory)
  stack.defer(() => store.close())
  const stored = await costOf(verdicts, (verdict) => store.put(verdict))
  progress(`${count} verdicts, one scanner`)
  const alert = openSink(directory, stack)
  const worth = await costOf(verdicts, alert)
  progress(`${count} verdicts, many addresses`)
  const spread = await costOf(verdicts.map(fromElsewhere), alert)
  progress(`${count} verdicts that are worth no alert`)
  const quiet = await costOf(verdicts.map(harmless), alert)
  const unit = "us/verdict"
  return [
    row({ name: "cpu: worth an alert, one scanner", value: worth, unit, baseline: stored }),
    row({ name: "cpu: worth an alert, many addresses", value: spread, unit, baseline: stored }),
    row({ name: "cpu: worth none", value: quiet, unit, baseline: stored }),
  ]
}

function openSink(directory: string, stack: AsyncDisposableStack) {
  const store = openAlertStore(directory, { targets: ["nobody"] })
  stack.defer(() => store.close())
  const { updateMs, quietMs } = readConfig({}).alerts
  const bounds = { lifeMs: DEFAULT_LIFE_MS, attackersMax: DEFAULT_ATTACKERS_MAX }
  const limits = { updateMs, quietMs, ...bounds }
  const groups = new AlertGroups({ store, clock: systemClock, limits, onRaised: () => undefined })
  const onLost = (error: unknown) => {
    throw error
  }
  const raise = groups.raise.bind(groups)
  const { verdicts } = alertSinks({ threshold: THRESHOLD, raise, onLost })
  return (verdict: ExplainedVerdict) => verdicts.write(verdict, CONTEXT)
}

/** Microseconds of CPU each, with as many at once as the flow lets in. */
function costOf(
  verdicts: readonly ExplainedVerdict[],
  work: (verdict: ExplainedVerdict) => Promise<unknown>,
): Promise<number> {
  const open = verdicts.values()
  const worker = async () => {
    for (const verdict of open) await work(verdict)
  }
  return cpuMicrosecondsEach(verdicts.length, async () => {
    await Promise.all(Array.from({ length: AT_ONCE }, worker))
  })
}

/** The verdict on the shipped attack, as if it came again and again. */
async function similarVerdicts(count: number): Promise<readonly ExplainedVerdict[]> {
  const config = readConfig({})
  const analyzer = createAnalyzer(await openModels(config), config)
  const { verdict, explanation } = await analyzer.analyze(await Bun.file(EXAMPLE).bytes())
  const context = { ...verdict.context, attacker_ip: "203.0.113.9" }
  return Array.from({ length: count }, (_, index) => {
    const id = `event-${index}`
    const own = { ...verdict, context, event_id: id, session_id: `session-${index}` }
    return { idempotencyKey: id, eventTimeMs: 0, verdict: own, explanation }
  })
}

function fromElsewhere(one: ExplainedVerdict, index: number): ExplainedVerdict {
  const context = { ...one.verdict.context, attacker_ip: `198.51.${index >> 8}.${index & 255}` }
  return { ...one, verdict: { ...one.verdict, context, event_id: `elsewhere-${index}` } }
}

function harmless(one: ExplainedVerdict): ExplainedVerdict {
  return { ...one, verdict: { ...one.verdict, final_score: 0 } }
}
