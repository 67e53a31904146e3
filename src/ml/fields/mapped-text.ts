const ESCAPED_RUN = /(?:%[0-9a-f]{2})+/gi
const JSON_ESCAPE = /\\(?:u[0-9a-f]{4}|["\\/bfnrt])/gi

/**
 * A stretch of a text, as it stood or with one layer of escapes undone, that knows of each of its
 * characters where it stood in the original. Offsets are UTF-16 units.
 */
export class MappedText {
  readonly text: string
  readonly #offset: number
  /** Where each character stood, and where the last one ended; undefined while nothing is undone. */
  readonly #starts: Int32Array | undefined

  constructor(text: string, offset = 0, starts?: Int32Array) {
    this.text = text
    this.#offset = offset
    this.#starts = starts
  }

  /** Where character `index` stood in the original; the length gives the end of the last one. */
  position(index: number): number {
    return this.#starts?.[index] ?? this.#offset + index
  }

  slice(from: number, to: number): MappedText {
    const text = this.text.slice(from, to)
    return new MappedText(text, this.#offset + from, this.#starts?.subarray(from, to + 1))
  }

  /** One layer of percent-encoding undone; runs that are no UTF-8 stay as they are. */
  percentDecoded(): MappedText {
    return this.#replaced(ESCAPED_RUN, decodedRun, percentWidth)
  }

  /** The content of a JSON string with its escapes undone. */
  jsonUnescaped(): MappedText {
    if (!this.text.includes("\\")) return this
    return this.#replaced(JSON_ESCAPE, (escaped) => String(JSON.parse(`"${escaped}"`)), escapeWidth)
  }

  /** @param width units that the escape of one unit of the replacement takes in this text */
  #replaced(
    pattern: RegExp,
    replacement: (escaped: string) => string,
    width: (unit: number, whole: string) => number,
  ): MappedText {
    const starts = new Int32Array(this.text.length + 1)
    let [text, read] = ["", 0]
    const copy = (to: number): void => {
      for (let at = read; at < to; at++) starts[text.length + at - read] = this.position(at)
      text += this.text.slice(read, to)
    }
    for (const match of this.text.matchAll(pattern)) {
      const [escaped] = match
      const plain = replacement(escaped)
      if (plain === escaped) continue
      copy(match.index)
      let at = match.index
      for (let unit = 0; unit < plain.length; unit++) {
        starts[text.length + unit] = this.position(at)
        at += width(plain.charCodeAt(unit), escaped)
      }
      text += plain
      read = match.index + escaped.length
    }
    copy(this.text.length)
    starts[text.length] = this.position(this.text.length)
    return new MappedText(text, 0, starts.subarray(0, text.length + 1))
  }
}

function decodedRun(run: string): string {
  try {
    return decodeURIComponent(run)
  } catch {
    return run
  }
}

/** Three characters for each UTF-8 byte; a surrogate has half of the four bytes of its pair. */
function percentWidth(unit: number): number {
  if (unit < 0x80) return 3
  if (unit < 0x800) return 6
  return unit >= 0xd800 && unit <= 0xdfff ? 6 : 9
}

function escapeWidth(_unit: number, escaped: string): number {
  return escaped.length
}
