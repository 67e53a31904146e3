import { join } from "node:path"
import { ModelRefusedError } from "../../errors.ts"
import { PAYLOAD_CLASSES } from "../../events.ts"
import { splitFields } from "../fields/split-fields.ts"
import { BENIGN, softmax } from "../models/linear-softmax.ts"
import { MODEL_BYTES_MAX } from "../onnx/graph.ts"
import { pooledProbabilities } from "../serving/combine-fields.ts"
import { sha256 } from "../serving/payload-model-files.ts"
import type { PlacedText, Probabilities } from "../serving/text-gatherer.ts"
import { Normalizer } from "../text/normalize.ts"
import { ByteWindows } from "./byte-windows.ts"
import { scoreTexts } from "./choose-windows.ts"
import { temperatureOf } from "./deep-model.ts"
import { DeepScorer } from "./deep-scorer.ts"

/** Judges texts by a deep model from its directory, calibrated. One instance serves one thread. */
export class DeepJudge {
  readonly #scorer: DeepScorer
  readonly #temperature: number
  readonly #normalizer = new Normalizer()

  private constructor(scorer: DeepScorer, temperature: number) {
    this.#scorer = scorer
    this.#temperature = temperature
  }

  /** @throws ModelRefusedError where the file is another one, or made for other inputs */
  static async open(directory: string, modelSha256: string): Promise<DeepJudge> {
    const file = Bun.file(join(directory, "model.onnx"))
    if (!(await file.exists())) throw new ModelRefusedError("a file is missing")
    if (file.size > MODEL_BYTES_MAX) throw new ModelRefusedError("a file is too large")
    const bytes = await file.bytes()
    if (sha256(bytes) !== modelSha256) throw new ModelRefusedError("model.onnx is another model")
    return DeepJudge.of(bytes)
  }

  /** @throws ModelRefusedError for a file made for other inputs, or not to be run */
  static async of(bytes: Uint8Array): Promise<DeepJudge> {
    const temperature = temperatureOf(bytes)
    return new DeepJudge(await DeepScorer.open(bytes), temperature)
  }

  /**
   * Probabilities of each text, each in the order of PAYLOAD_CLASSES: like the fast tier, by the worst
   * of its fields beside the whole.
   */
  async judge(texts: readonly PlacedText[]): Promise<readonly Probabilities[]> {
    const fields = texts.map(({ text, kind }) => splitFields(text, kind))
    const parts = texts.flatMap(({ text }, index) => [
      text,
      ...(fields[index] ?? []).map((field) => field.text),
    ])
    const answers = await this.#judgeParts(parts)
    let at = 0
    return fields.map(({ length }) => {
      const whole = answers[at] ?? []
      const worst = worstOf(answers.slice(at + 1, at + 1 + length))
      at += 1 + length
      return worst === undefined ? whole : poolFields(whole, worst)
    })
  }

  /** Each part as if it were a text of its own, by its most attack-like window. */
  async #judgeParts(parts: readonly string[]): Promise<readonly Probabilities[]> {
    const rows = parts.map((text) => ({ text, label: "benign" as const, source: "" }))
    const windows = new ByteWindows(rows, undefined, this.#normalizer)
    const logits = await scoreTexts(windows, this.#scorer)
    return logits.map((row) => {
      const probabilities = new Float64Array(row.length)
      softmax(row, this.#temperature, probabilities)
      return [...probabilities]
    })
  }

  release(): Promise<void> {
    return this.#scorer.release()
  }
}

function worstOf(fields: readonly Probabilities[]): Probabilities | undefined {
  const benignOf = (field: Probabilities) => field[BENIGN] ?? 0
  return fields.toSorted((one, other) => benignOf(one) - benignOf(other))[0]
}

function poolFields(whole: Probabilities, worst: Probabilities): Probabilities {
  const pooled = pooledProbabilities(byName(whole), byName(worst))
  return PAYLOAD_CLASSES.map((name) => pooled[name] ?? 0)
}

function byName(probabilities: Probabilities): Readonly<Record<string, number>> {
  return Object.fromEntries(PAYLOAD_CLASSES.map((name, index) => [name, probabilities[index] ?? 0]))
}
