import type { OnnxAttribute, OnnxInitializer, OnnxNode } from "../onnx/graph.ts"

/** A tensor of the graph under construction: its name there and how many axes it has. */
export interface Variable {
  readonly name: string
  readonly rank: number
}

type Attributes = Readonly<Record<string, OnnxAttribute>>

/** Emits the nodes that carry a result's gradient on to its operands. */
type Backward = (gradient: string) => void

/**
 * Writes ONNX nodes and remembers how each result came about, so that `backward` can write the
 * nodes of the reverse pass behind those of the forward pass: automatic differentiation that
 * leaves a plain ONNX graph. The same calls give the same graph.
 *
 * @see Baydin, Pearlmutter, Radul, Siskind 2018, "Automatic Differentiation in Machine Learning"
 */
export class Tape {
  readonly nodes: OnnxNode[] = []
  readonly initializers: OnnxInitializer[] = []
  readonly #records: { readonly result: Variable; readonly backward: Backward }[] = []
  readonly #gradients = new Map<string, string>()
  #names = 0

  /** Appends a node with one output, and returns the output's name. */
  emit(opType: string, inputs: readonly string[], attributes?: Attributes): string {
    const [output = ""] = this.emitMany(1, { opType, inputs, ...(attributes && { attributes }) })
    return output
  }

  emitMany(count: number, node: Omit<OnnxNode, "outputs">): readonly string[] {
    const outputs = Array.from({ length: count }, () => this.#name("t"))
    this.nodes.push({ ...node, outputs })
    return outputs
  }

  scalar(value: number): string {
    return this.#constant([], Float32Array.of(value))
  }

  floats(dims: readonly number[], data: Float32Array): string {
    return this.#constant(dims, data)
  }

  /** A vector of int64: axes, shapes, sizes. */
  integers(...values: readonly number[]): string {
    return this.#constant([values.length], BigInt64Array.from(values, BigInt))
  }

  /** Declares `result` to be differentiable: `backward` is called once, with its gradient's name. */
  record(result: Variable, backward: Backward): Variable {
    this.#records.push({ result, backward })
    return result
  }

  /** Adds a gradient to what has come in for a variable so far. */
  accumulate({ name }: Variable, gradient: string): void {
    const sum = this.#gradients.get(name)
    this.#gradients.set(name, sum === undefined ? gradient : this.emit("Add", [sum, gradient]))
  }

  /** Writes the reverse pass from a scalar; `gradientOf` answers afterwards. */
  backward(loss: Variable): void {
    this.accumulate(loss, this.scalar(1))
    for (const { result, backward } of this.#records.toReversed()) {
      const gradient = this.#gradients.get(result.name)
      if (gradient !== undefined) backward(gradient)
    }
  }

  /** @throws RangeError for a variable that the loss does not depend on: an error of the caller */
  gradientOf({ name }: Variable): string {
    const gradient = this.#gradients.get(name)
    if (gradient === undefined) throw new RangeError(`gradientOf: nothing flows into ${name}`)
    return gradient
  }

  #constant(dims: readonly number[], data: Float32Array | BigInt64Array): string {
    const name = this.#name("c")
    this.initializers.push({ name, dims, data })
    return name
  }

  #name(prefix: string): string {
    this.#names += 1
    return `${prefix}${this.#names}`
  }
}
