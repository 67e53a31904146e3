import type { Classification } from "../../src/events.ts"
import type { ModelInfo, PayloadClassifier, PayloadInput } from "../../src/ports.ts"
import { judgeByPeer, type Peer, type PeerJudgement } from "./peer.ts"

/** Runs what is to be measured, once to see which texts it asks for and once with the answers. */
export async function measureByPeer<T>(
  peer: Peer,
  measure: (classifier: PayloadClassifier) => T,
): Promise<{ readonly figures: T; readonly judgements: readonly PeerJudgement[] }> {
  const asked = new Map<string, PayloadInput>()
  measure(
    classifierOf(peer.name, (input) => {
      asked.set(keyOf(input), input)
      return UNKNOWN
    }),
  )
  const judgements = await judgeByPeer(peer, [...asked.values()])
  const answers = new Map([...asked.keys()].map((key, index) => [key, judgements[index]]))
  const figures = measure(classifierOf(peer.name, (input) => answers.get(keyOf(input)) ?? UNKNOWN))
  return { figures, judgements }
}

const UNKNOWN: PeerJudgement = { class: "benign", score: null, microseconds: null }

function keyOf({ text, kind }: PayloadInput): string {
  return `${kind ?? ""} ${text}`
}

function classifierOf(
  name: string,
  answer: (input: PayloadInput) => PeerJudgement,
): PayloadClassifier {
  const none = { trainedAt: "", trainingSamples: 0, validationSamples: 0, metrics: {} }
  const info: ModelInfo = { modelId: name, modelType: "peer", ...none }
  return {
    info,
    certainThreshold: 1,
    classify: (input) => classification(name, answer(input)),
    explain: () => [],
  }
}

/** A peer's score need not be a probability: only its order is used. */
function classification(model: string, { class: name, score }: PeerJudgement): Classification {
  const attack = score ?? (name === "benign" ? 0 : 1)
  return {
    class: name as Classification["class"],
    confidence: 1,
    probabilities: { benign: 1 - attack },
    method: "ml",
    model,
  }
}
