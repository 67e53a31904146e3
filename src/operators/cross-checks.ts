import type { TwinTrial } from "../simulation-result.ts"
import {
  TWIN_LIMITS,
  type TwinAnswer,
  type TwinEffect,
  type TwinEffectKind,
} from "../twin-protocol.ts"
import { effectWorth } from "./exploit-tables.ts"

/** Effects that only somebody who has read the canary can describe. */
const CANARY_EFFECTS: readonly TwinEffectKind[] = ["canary_leaked", "file_opened"]
/** Timers of twin and sandbox are not the same clock. */
const CLOCK_TOLERANCE_MS = 5
const CLAIMED_MS = /(\d{1,7})(?:\.\d{1,6})? ?ms\b/

/** An answer that was seen to be one, or why nothing can be said. */
export type CheckedTrial = { readonly answer: TwinAnswer } | { readonly reason: string }

/**
 * Believes a twin only as far as it agrees with what was seen from outside of it: whoever owns a twin
 * can forge its answer, but neither its exit code, nor its time, nor a canary that is not yet known.
 */
export function checkTrial(trial: TwinTrial): CheckedTrial {
  const { answer } = trial.run
  const ended = howItEnded(trial)
  if (ended !== undefined) return { reason: ended }
  if (answer === undefined) return { reason: "no_answer: the twin ended without a word" }
  const contradiction = contradictionOf(answer, trial)
  if (contradiction !== undefined) return { reason: `contradicted: ${contradiction}` }
  if (answer.controlAttempts.length > 0) {
    return { reason: "control_failed: a benign value had an effect too" }
  }
  return { answer }
}

function howItEnded({ run: { answer, outside } }: TwinTrial): string | undefined {
  if (outside.outOfMemory) return "out_of_memory: the twin was killed at its memory limit"
  if (outside.timedOut) return "timed_out: the twin was killed at its time limit"
  const { exitCode } = outside
  if (exitCode === undefined || exitCode === 0) return undefined
  if (answer === undefined) return `crashed: the twin ended with exit code ${exitCode}`
  return `contradicted: an answer, but exit code ${exitCode}`
}

function contradictionOf(answer: TwinAnswer, trial: TwinTrial): string | undefined {
  const { request } = trial
  if (answer.id !== request.id) return "the answer is another run's"
  if (answer.class !== request.class) return "the answer is another twin's"
  if (!(answer.templatesTried > 0) && answer.inconclusive === undefined) return "nothing was tried"
  if (answer.attempts.length > TWIN_LIMITS.attemptsMax) return "more attempts than there may be"
  for (const { template, effects } of answer.attempts) {
    if (request.templates?.includes(template) === false) return "a template that nobody asked for"
    for (const effect of effects) {
      const contradiction = effectContradiction(effect, trial)
      if (contradiction !== undefined) return contradiction
    }
  }
  return undefined
}

function effectContradiction(
  { kind, detail }: TwinEffect,
  { request, run }: TwinTrial,
): string | undefined {
  if (effectWorth(request.class, kind) === undefined) return `this twin has no effect ${kind}`
  if (detail.length > TWIN_LIMITS.detailCharactersMax) return `${kind}: too long a description`
  if (CANARY_EFFECTS.includes(kind) && !detail.includes(request.canary)) {
    return `${kind} without the canary of this run`
  }
  const claimedMs = kind === "delay_measured" ? Number(CLAIMED_MS.exec(detail)?.[1] ?? 0) : 0
  if (claimedMs > run.outside.wallMs + CLOCK_TOLERANCE_MS) {
    return "a delay that is longer than the whole run"
  }
  return undefined
}

/** True where some effect of the answer quotes the canary, which no payload can know. */
export function quotesCanary(answer: TwinAnswer, canary: string): boolean {
  return answer.attempts.some(({ effects }) =>
    effects.some(({ detail }) => detail.includes(canary)),
  )
}
