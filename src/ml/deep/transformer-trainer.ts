import { PAYLOAD_CLASSES } from "../../events.ts"
import { encodeOnnx } from "../onnx/encode.ts"
import { type OnnxSession, type OnnxTensor, openOnnxSession } from "../onnx/session.ts"
import { Random } from "../random.ts"
import { adamStepSize } from "./adam.ts"
import { batchesOf, type ChosenWindow } from "./batches.ts"
import { type TransformerShape, transformerParameters } from "./byte-transformer.ts"
import type { ByteWindows } from "./byte-windows.ts"
import { trainingGraph } from "./graphs.ts"
import { initialParameters } from "./parameters.ts"
import { textBatch } from "./text-batch.ts"

const CLASSES = PAYLOAD_CLASSES.length

/** Share of all steps in which the learning rate rises from zero. */
const WARMUP_SHARE = 0.05

export interface TransformerTraining {
  readonly shape: TransformerShape
  readonly seed: number
  /** Passes over all examples: the learning rate falls to zero over them. */
  readonly epochs: number
  /** Windows a step. */
  readonly batch: number
  readonly learningRate: number
  /** Share of every parameter that a step at the full learning rate takes away. */
  readonly decay: number
  /** Share of bytes hidden, 0..1. */
  readonly byteDrop: number
}

/** Holds the parameters with their moments, and takes steps. Deterministic for its seed. */
export class TransformerTrainer {
  readonly #windows: ByteWindows
  readonly #options: TransformerTraining
  readonly #random: Random
  readonly #session: OnnxSession
  readonly #classWeights: readonly number[]
  readonly #stepsMax: number
  #steps = 0
  #state: {
    readonly parameters: Float32Array
    readonly firstMoment: Float32Array
    readonly secondMoment: Float32Array
  }

  private constructor(
    { windows, session }: { windows: ByteWindows; session: OnnxSession },
    options: TransformerTraining,
  ) {
    this.#windows = windows
    this.#options = options
    this.#random = new Random(options.seed)
    this.#session = session
    this.#classWeights = balancedClassWeights(windows.labels)
    this.#stepsMax = Math.ceil((windows.size / options.batch) * options.epochs)
    const parameters = initialParameters(transformerParameters(options.shape), this.#random)
    this.#state = {
      parameters,
      firstMoment: new Float32Array(parameters.length),
      secondMoment: new Float32Array(parameters.length),
    }
  }

  static async open(
    windows: ByteWindows,
    options: TransformerTraining,
  ): Promise<TransformerTrainer> {
    const session = await openOnnxSession(encodeOnnx(trainingGraph(options.shape)))
    return new TransformerTrainer({ windows, session }, options)
  }

  get parameters(): Float32Array {
    return this.#state.parameters
  }

  /** @returns the mean of the batches' losses */
  async epoch(chosen: readonly ChosenWindow[]): Promise<number> {
    const { batch: size } = this.#options
    const batches = batchesOf(this.#windows, chosen, { size, random: this.#random })
    let loss = 0
    for (const batch of batches) loss += await this.#step(batch)
    return loss / Math.max(1, batches.length)
  }

  release(): Promise<void> {
    return this.#session.release()
  }

  async #step(batch: readonly ChosenWindow[]): Promise<number> {
    const { byteDrop: probability, decay } = this.#options
    const rows = Int32Array.from(batch, ({ window }) => window)
    const share = this.#rateShare()
    this.#steps += 1
    const outputs = await this.#session.run({
      ...textBatch(this.#windows, rows, { random: this.#random, probability }),
      targets: this.#targets(batch),
      parameters: vector(this.#state.parameters),
      first_moment: vector(this.#state.firstMoment),
      second_moment: vector(this.#state.secondMoment),
      rate: scalar(adamStepSize(this.#options.learningRate * share, this.#steps)),
      decay: scalar(decay * share),
    })
    this.#state = {
      parameters: floatsOf(outputs.next_parameters),
      firstMoment: floatsOf(outputs.next_first_moment),
      secondMoment: floatsOf(outputs.next_second_moment),
    }
    return floatsOf(outputs.loss)[0] ?? 0
  }

  #targets(batch: readonly ChosenWindow[]): OnnxTensor {
    const data = new Float32Array(batch.length * CLASSES)
    for (const [row, { example }] of batch.entries()) {
      const label = this.#windows.labels[example] ?? 0
      data[row * CLASSES + label] = this.#classWeights[label] ?? 1
    }
    return { type: "float32", dims: [batch.length, CLASSES], data }
  }

  /** Rises in a line, then falls along a half cosine to zero. */
  #rateShare(): number {
    const done = Math.min(1, this.#steps / this.#stepsMax)
    if (done < WARMUP_SHARE) return (done + 1 / this.#stepsMax) / WARMUP_SHARE
    return 0.5 * (1 + Math.cos((Math.PI * (done - WARMUP_SHARE)) / (1 - WARMUP_SHARE)))
  }
}

/** A class counts by the square root of its rarity, as in the linear tier. */
function balancedClassWeights(labels: readonly number[]): readonly number[] {
  const counts = new Array<number>(CLASSES).fill(0)
  for (const label of labels) counts[label] = (counts[label] ?? 0) + 1
  const mean = labels.length / CLASSES
  return counts.map((count) => Math.sqrt(mean / Math.max(1, count)))
}

function vector(data: Float32Array): OnnxTensor {
  return { type: "float32", dims: [data.length], data }
}

function scalar(value: number): OnnxTensor {
  return { type: "float32", dims: [], data: Float32Array.of(value) }
}

function floatsOf(tensor: OnnxTensor | undefined): Float32Array {
  if (tensor?.type !== "float32") throw new RangeError("the training graph answers in floats")
  return tensor.data
}
