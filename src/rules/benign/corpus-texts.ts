/** Characters that are searched at once: long enough to be fast, short enough to stay in a cache. */
const STRETCH_CHARACTERS = 262_144
/** A NUL stands in no text of a corpus, and patterns that rules may have seldom read one. */
const BETWEEN = "\n\0\n"

/** Gathers texts to stretches; those in ASCII apart, for they need half the memory and time. */
export class StretchWriter {
  readonly #stretches: string[] = []
  #ascii = ""
  #others = ""

  add(text: string): void {
    if (/^[\0-\x7f]*$/.test(text)) this.#ascii = this.#grown(this.#ascii + text + BETWEEN)
    else this.#others = this.#grown(this.#others + text + BETWEEN)
  }

  close(): string[] {
    return [...this.#stretches, ...[this.#ascii, this.#others].filter((open) => open !== "")]
  }

  #grown(open: string): string {
    if (open.length < STRETCH_CHARACTERS) return open
    this.#stretches.push(flat(open))
    return ""
  }
}

/** One string instead of the tree of its parts, each of which would stay in memory. */
function flat(text: string): string {
  return Buffer.from(text).toString()
}

/** The texts of a stretch that a pattern meets, each once. */
export function* textsMeeting(stretch: string, pattern: RegExp): Generator<string> {
  const searching = new RegExp(pattern.source, "gu")
  for (let match = searching.exec(stretch); match !== null; match = searching.exec(stretch)) {
    const before = stretch.lastIndexOf(BETWEEN, match.index)
    const end = stretch.indexOf(BETWEEN, match.index)
    yield stretch.slice(before < 0 ? 0 : before + BETWEEN.length, end)
    searching.lastIndex = end + BETWEEN.length
  }
}
