import { isUtf8 } from "node:buffer"
import { MalformedError } from "../errors.ts"

/**
 * Tensors of the binary data extension of the Open Inference Protocol: they stand behind the JSON of
 * the message, little-endian, row-major, without padding. An element of BYTES is its length (uint32)
 * and that many bytes.
 */

const LENGTH_BYTES = 4
const FP64_BYTES = 8
const decoder = new TextDecoder()

/** Takes tensor after tensor from the bytes behind the JSON. */
export class BinaryTensors {
  #rest: Buffer

  constructor(bytes: Uint8Array) {
    this.#rest = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get isEmpty(): boolean {
    return this.#rest.length === 0
  }

  /**
   * The next `bytesCount` bytes as `count` texts.
   * @throws MalformedError where lengths and count do not fit, or an element is not UTF-8
   */
  takeTexts(field: string, bytesCount: number, count: number): readonly string[] {
    if (bytesCount > this.#rest.length)
      throw new MalformedError(field, "as many bytes as announced")
    const tensor = this.#rest.subarray(0, bytesCount)
    this.#rest = this.#rest.subarray(bytesCount)
    const texts: string[] = []
    let at = 0
    while (at < tensor.length) {
      if (texts.length === count || at + LENGTH_BYTES > tensor.length) throw uneven(field, count)
      const from = at + LENGTH_BYTES
      at = from + tensor.readUInt32LE(at)
      if (at > tensor.length) throw uneven(field, count)
      texts.push(textOf(field, tensor.subarray(from, at)))
    }
    if (texts.length !== count) throw uneven(field, count)
    return texts
  }
}

function uneven(field: string, count: number): MalformedError {
  return new MalformedError(field, `exactly ${count} elements, each behind its length`)
}

function textOf(field: string, bytes: Uint8Array): string {
  if (!isUtf8(bytes)) throw new MalformedError(field, "UTF-8")
  return decoder.decode(bytes)
}

export function textTensor(texts: readonly string[]): Uint8Array {
  const parts = texts.flatMap((text) => {
    const bytes = Buffer.from(text, "utf8")
    const length = Buffer.alloc(LENGTH_BYTES)
    length.writeUInt32LE(bytes.length)
    return [length, bytes]
  })
  return Buffer.concat(parts)
}

export function fp64Tensor(numbers: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(numbers.length * FP64_BYTES)
  for (const [index, value] of numbers.entries()) bytes.writeDoubleLE(value, index * FP64_BYTES)
  return bytes
}
