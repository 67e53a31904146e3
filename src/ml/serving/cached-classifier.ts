import { LRUCache } from "lru-cache"
import type { Classification, PayloadKind } from "../../events.ts"
import type { CachedClassifier, PayloadClassifier, PayloadInput } from "../../ports.ts"
import { withKind } from "./payload-kind.ts"

/** What is remembered of all models that one process serves: one bound for all of them. */
export type PredictionMemory = LRUCache<string, Classification>

export interface PredictionCacheOptions {
  readonly entriesMax: number
  readonly ttlMs: number
  readonly onLookup?: (hit: boolean) => void
  /** Shared with other models; default one of its own. */
  readonly memory?: PredictionMemory
}

/** One whose memory another model can take over. */
export interface RememberingClassifier extends CachedClassifier {
  /** What it was asked among the last `max` entries of the memory, newest first. */
  recent(max: number): readonly PayloadInput[]
  /** Judges what it does not remember yet; counts as neither hit nor miss. */
  warm(input: PayloadInput): void
}

export function predictionMemory({
  entriesMax,
  ttlMs,
}: Pick<PredictionCacheOptions, "entriesMax" | "ttlMs">): PredictionMemory {
  return new LRUCache<string, Classification>({ max: entriesMax, ttl: ttlMs })
}

/** Longer texts are judged afresh: the bound on entries is then one on memory too. */
const KEY_CHARS_MAX = 4096

/** Models loaded so far: tells one from another of the same id. */
let loaded = 0

/**
 * Remembers classifications by model, kind and text: at most `entriesMax`, each for `ttlMs`. Where
 * no kind is given, the context tells it. A model that is loaded anew, if under the same id, begins
 * with nothing. Explanations are not remembered.
 */
export function cachedClassifier(
  classifier: PayloadClassifier,
  options: PredictionCacheOptions,
): RememberingClassifier {
  const { entriesMax, onLookup, memory: cache = predictionMemory(options) } = options
  loaded += 1
  const owner = `${classifier.info.modelId}#${loaded}\n`
  let [hits, misses] = [0, 0]

  function count(hit: boolean): void {
    if (hit) hits += 1
    else misses += 1
    onLookup?.(hit)
  }

  function lookup(given: PayloadInput): { classification: Classification; cached: boolean } {
    const input = withKind(given)
    const key = keyOf(owner, input)
    const known = key === undefined ? undefined : cache.get(key)
    count(known !== undefined)
    if (known !== undefined) return { classification: known, cached: true }
    const classification = classifier.classify(input)
    if (key !== undefined) cache.set(key, classification)
    return { classification, cached: false }
  }

  /** Others wait meanwhile: looks at no more entries than are wanted, whichever model they are of. */
  function recent(max: number): readonly PayloadInput[] {
    const inputs: PayloadInput[] = []
    for (const key of cache.keys().take(max)) {
      if (key.startsWith(owner)) inputs.push(inputOf(key, owner))
    }
    return inputs
  }

  return {
    info: classifier.info,
    certainThreshold: classifier.certainThreshold,
    ...(classifier.thresholds && { thresholds: classifier.thresholds }),
    classify: (input) => lookup(input).classification,
    explain: (input, spansMax) => classifier.explain(withKind(input), spansMax),
    lookup,
    recent,
    warm(input) {
      const key = keyOf(owner, input)
      if (key !== undefined && !cache.has(key)) cache.set(key, classifier.classify(input))
    },
    cacheStats: () => ({ entries: cache.size, entriesMax, hits, misses }),
  }
}

/** No key for a text that is too long to keep. */
function keyOf(owner: string, { text, kind }: PayloadInput): string | undefined {
  return text.length > KEY_CHARS_MAX ? undefined : `${owner}${kind ?? ""}\n${text}`
}

function inputOf(key: string, owner: string): PayloadInput {
  const kindEnd = key.indexOf("\n", owner.length)
  const text = key.slice(kindEnd + 1)
  const kind = key.slice(owner.length, kindEnd)
  return kind === "" ? { text } : { text, kind: kind as PayloadKind }
}
