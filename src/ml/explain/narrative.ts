import type { FeatureImportance, Verdict, VerdictWord } from "../../events.ts"
import { FEATURE_TABLE } from "../sessions/feature-table.ts"
import { contributorsOf, PAYLOAD_SCORE } from "./explanation.ts"

const MEANINGS = new Map(FEATURE_TABLE.map(({ name, meaning }) => [name, meaning]))
const REASONS_MAX = 3
/** Less than this moves no verdict, and would only make the sentence longer. */
const REASON_FROM = 0.01
const LOCATION_CHARACTERS = 60
const VALUE_CHARACTERS = 60
/** P(attack) from which a payload is named. */
const NAMED_FROM = 0.5
/** Behaviour score that only the contaminated share of ordinary sessions reaches. */
const UNUSUAL_FROM = 0.5

const HEADLINES: Readonly<Record<VerdictWord, string>> = {
  simulate: "SIMULATE: very likely an attack",
  tag: "TAG: suspicious, a person should look",
  benign: "BENIGN: nothing speaks for an attack",
}

export interface NarrativeParts {
  readonly verdict: VerdictWord
  readonly finalScore: number
  readonly payloadScore: number
  readonly behaviorScore: number
  /** By absolute importance. */
  readonly importances: readonly FeatureImportance[]
  readonly usual: ReadonlyMap<string, number>
  /** Absent where only features were given. */
  readonly document?: Verdict
}

/**
 * What an analyst reads first: what, how sure, why, what speaks against it, and what limits the
 * answer. Plain text; payloads are redacted, quoted, cut, and hold no control characters.
 */
export function narrate(parts: NarrativeParts): string {
  const { contributors, contradictors } = contributorsOf(parts.importances)
  const sentences = [
    headline(parts),
    parts.document === undefined ? undefined : payloadSentence(parts.document),
    behaviorSentence(parts, contributors),
    againstSentence(parts, contradictors),
    parts.document === undefined ? undefined : profileSentence(parts.document),
    limitsSentence(parts.document),
  ]
  return sentences.filter((sentence) => sentence !== undefined).join(" ")
}

function headline({ verdict, finalScore, payloadScore, behaviorScore, document }: NarrativeParts) {
  const head = headOf({ verdict, behaviorScore, degraded: document?.degraded === true })
  const scores = `payloads ${percent(payloadScore)}, behaviour ${percent(behaviorScore)}`
  return `${head}. Score ${percent(finalScore)} (${scores}).`
}

function headOf(judged: { verdict: VerdictWord; behaviorScore: number; degraded: boolean }) {
  const { verdict, behaviorScore, degraded } = judged
  if (degraded && verdict === "tag") return "TAG: could not be fully analysed"
  if (verdict === "benign" && behaviorScore >= UNUSUAL_FROM) {
    return "BENIGN: no payload of an attack, but its behaviour is unusual"
  }
  return HEADLINES[verdict]
}

function payloadSentence(document: Verdict): string {
  const named = document.payload_predictions.filter(
    (prediction) => prediction.class !== "benign" && prediction.confidence >= NAMED_FROM,
  )
  const worst = named[0]
  if (worst === undefined) return "No payload looks like an attack."
  const others = named.length > 1 ? `, and ${named.length - 1} more` : ""
  const place = neutralize(worst.location).slice(0, LOCATION_CHARACTERS)
  const value = neutralize(worst.payload_value).slice(0, VALUE_CHARACTERS)
  const sure = `${percent(worst.confidence)} ${worst.class.replaceAll("_", " ")}`
  return `The payload in ${place} is ${sure}${others}: «${value}».`
}

function behaviorSentence(parts: NarrativeParts, contributors: readonly FeatureImportance[]) {
  const reasons = reasonsOf(contributors, parts.usual)
  if (reasons.length === 0) return "Its behaviour adds nothing to the score."
  return `Behaviour that raises it: ${reasons.join("; ")}.`
}

function againstSentence(parts: NarrativeParts, contradictors: readonly FeatureImportance[]) {
  const reasons = reasonsOf(contradictors, parts.usual)
  if (reasons.length === 0) return undefined
  return `Against it: ${reasons.join("; ")}.`
}

function reasonsOf(
  importances: readonly FeatureImportance[],
  usual: ReadonlyMap<string, number>,
): string[] {
  return importances
    .filter(({ feature, importance }) => {
      return feature !== PAYLOAD_SCORE && Math.abs(importance) >= REASON_FROM
    })
    .slice(0, REASONS_MAX)
    .map(({ feature, value }) => {
      const meaning = MEANINGS.get(feature) ?? feature
      return `${meaning} ${short(value)} (usual ${short(usual.get(feature) ?? 0)})`
    })
}

function profileSentence({ profile }: Verdict): string {
  return `Intent: ${profile.summary} Skill: ${profile.sophistication_score} of 10.`
}

function limitsSentence(document: Verdict | undefined): string {
  if (document === undefined) return "Explained from the given features alone."
  const limits = [`Evidence integrity: ${document.integrity}.`]
  if (document.degraded) {
    limits.push(`Degraded: ${document.degraded_reasons.map(neutralize).join("; ")}.`)
  }
  if (document.truncated) limits.push("The session was longer than its bounds and was cut.")
  if (document.timestamp_source === "arrival") {
    limits.push("The evidence holds no time: its timestamp is that of its arrival.")
  }
  if (document.behavioral_method === "heuristic") limits.push("Behaviour was judged by rules.")
  return limits.join(" ")
}

/** Control, format and unpaired characters, which could forge or reorder what a person reads. */
function neutralize(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}«»]/gu, "·")
}

function percent(share: number): string {
  return `${Math.round(100 * share)}%`
}

function short(value: number): string {
  if (Number.isInteger(value)) return `${value}`
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(2)
}
