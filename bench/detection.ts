import { newest } from "../src/compose/models.ts"
import { adversarialExamples } from "../src/ml/adversary/adversarial-examples.ts"
import { effectCheck } from "../src/ml/adversary/effect.ts"
import { sqliteInjections } from "../src/ml/adversary/sqlite-injection.ts"
import type { LabelledPayload } from "../src/ml/evaluation/labelled-payloads.ts"
import { shareAbove, thresholdAt } from "../src/ml/evaluation/payload-report.ts"
import { measureTime } from "../src/ml/evaluation/timing.ts"
import { generatePayloads } from "../src/ml/generators/payloads.ts"
import { fieldwiseClassifier } from "../src/ml/serving/fieldwise-classifier.ts"
import { loadPayloadClassifier } from "../src/ml/serving/load-payload-classifier.ts"
import type { PayloadClassifier } from "../src/ports.ts"
import { installPeers } from "./detection/install-peers.ts"
import {
  type DetectorFigures,
  detectorRows,
  measureDetector,
} from "./detection/measure-detector.ts"
import type { MissingPeer, Peer, PeerJudgement } from "./detection/peer.ts"
import { measureByPeer } from "./detection/replayed-classifier.ts"
import { detectionRows } from "./detection/rows.ts"
import { type Row, row, type SuiteOptions } from "./harness.ts"

export const services = [] as const

const ADVERSARY = { seed: 20_261_125, budget: 1_000, generated: 20_000 } as const
const ATTACKED_MAX = { quick: 8, full: 100 } as const

/**
 * Sentinel's payload classifier beside detectors of others on the same rows, and what an adversary
 * makes of it.
 */
export async function run(options: SuiteOptions): Promise<readonly Row[]> {
  const { env, quick, progress } = options
  const { name, rows, training } = await detectionRows(env, options)
  const peers = await installPeers({ env, training, progress })
  const classifier = fieldwiseClassifier(await loadPayloadClassifier(newest("payload-linear")))
  progress("sentinel")
  const own = measureDetector(classifier, rows, { quick })
  const microseconds = measureTime(rows, classifier).all?.microsecondsP50 ?? null
  const results = [
    ...[row({ name: `rows: ${name}`, value: rows.length, unit: "rows" })],
    ...detectorRows("sentinel", own, { hasScore: true, microseconds }),
  ]
  for (const peer of peers) {
    progress(peer.name)
    results.push(...(await peerRows(peer, { own, rows, quick })))
  }
  progress("adversary")
  return [...results, ...adversaryRows(classifier, options)]
}

async function peerRows(
  peer: Peer | MissingPeer,
  { own, ...set }: { own: DetectorFigures; rows: readonly LabelledPayload[]; quick: boolean },
): Promise<readonly Row[]> {
  if ("reason" in peer) {
    return [row({ name: `${peer.name}: not installed: ${peer.reason}`, value: 0, unit: "rows" })]
  }
  const { figures, judgements } = await measureByPeer(peer, (classifier) =>
    measureDetector(classifier, set.rows, set),
  )
  const hasScore = judgements.some(({ score }) => score !== null)
  const microseconds = medianTime(judgements.slice(0, set.rows.length))
  return [
    ...detectorRows(peer.name, figures, { hasScore, microseconds }),
    ...comparison(peer.name, own, figures),
  ]
}

function medianTime(judgements: readonly PeerJudgement[]): number | null {
  const times = judgements.flatMap(({ microseconds }) => microseconds ?? [])
  return times.sort((one, other) => one - other)[Math.floor(times.length / 2)] ?? null
}

/** Recall where Sentinel blocks as many benign rows as the peer does at its operating point. */
function comparison(name: string, own: DetectorFigures, peer: DetectorFigures): readonly Row[] {
  const { recall, fpr } = peer.plain
  if (recall === null || fpr === null) return []
  const [benign, attacks] = [true, false].map((isBenign) =>
    own.judged.filter(({ label }) => (label === "benign") === isBenign),
  )
  const scores = (benign ?? []).map(({ attackProbability }) => attackProbability)
  const value = shareAbove(attacks ?? [], thresholdAt(scores, fpr)) ?? 0
  const goal = { of: "ratio", least: 1 } as const
  const title = `sentinel: recall at the false positive rate of ${name}`
  return [row({ name: title, value, unit: "share", baseline: recall, goal })]
}

/** By class: attacks that got past the classifier within the budget, of those that it knew. */
function adversaryRows(classifier: PayloadClassifier, { quick }: SuiteOptions): readonly Row[] {
  const { seed, budget } = ADVERSARY
  const attacks = knownAttacks(classifier, quick ? ATTACKED_MAX.quick : ATTACKED_MAX.full)
  const examples = [...adversarialExamples({ seed, classifier, attacks, budget })]
  return [...Map.groupBy(examples, ({ label }) => label)].flatMap(([label, found]) => {
    const evaded = found.filter((example) => example.evaded).length
    return [
      row({ name: `adversary: ${label} attacked`, value: found.length, unit: "attacks" }),
      row({ name: `adversary: ${label} evaded`, value: evaded / found.length, unit: "share" }),
    ]
  })
}

/** As many attacks of each class that are found as they stand and whose effect can be checked. */
function knownAttacks(classifier: PayloadClassifier, max: number): readonly LabelledPayload[] {
  const { seed, generated } = ADVERSARY
  const taken = new Map<string, LabelledPayload[]>()
  const offered = [
    ...generatePayloads({ seed, count: generated }),
    ...sqliteInjections({ seed, count: 4 * max }),
  ]
  for (const attack of offered) {
    const some = taken.get(attack.label) ?? []
    taken.set(attack.label, some)
    if (some.length < max && canBeAttacked(attack, classifier)) some.push(attack)
  }
  return [...taken.values()].flat()
}

function canBeAttacked(attack: LabelledPayload, classifier: PayloadClassifier): boolean {
  if (attack.label === "benign" || classifier.classify(attack).class === "benign") return false
  return effectCheck(attack.label, attack.text) !== undefined
}
