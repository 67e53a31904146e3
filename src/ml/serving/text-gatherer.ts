import type { PayloadInput } from "../../ports.ts"

/** Probabilities of one text in the order of PAYLOAD_CLASSES. */
export type Probabilities = readonly number[]
/** A text with the place that it stood in, where that is known: it tells which fields it may hold. */
export type PlacedText = Pick<PayloadInput, "text" | "kind">
/** Judges texts together, each as if it were alone. @throws where it cannot judge any of them */
export type TextsJudge = (texts: readonly PlacedText[]) => Promise<readonly Probabilities[]>

const TEXTS_MAX = 8
/** Of texts that are judged together, so that no call takes much longer than another. */
const CHARS_MAX = 4_096

interface Waiting {
  readonly placed: PlacedText
  readonly answer: PromiseWithResolvers<Probabilities>
}

/**
 * Makes one call of the texts that are asked about in one turn of the event loop, where they are few
 * and short, and several where they are not: a call costs a thread's round trip.
 */
export class TextGatherer {
  readonly #judge: TextsJudge
  #waiting: Waiting[] = []

  constructor(judge: TextsJudge) {
    this.#judge = judge
  }

  ask(placed: PlacedText): Promise<Probabilities> {
    const answer = Promise.withResolvers<Probabilities>()
    if (this.#waiting.length === 0) setImmediate(() => this.#send())
    this.#waiting.push({ placed, answer })
    return answer.promise
  }

  #send(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const group of groupsOf(waiting)) void this.#judgeGroup(group)
  }

  async #judgeGroup(group: readonly Waiting[]): Promise<void> {
    try {
      const answers = await this.#judge(group.map(({ placed }) => placed))
      for (const [index, { answer }] of group.entries()) {
        const probabilities = answers[index]
        if (probabilities === undefined) answer.reject(new RangeError("a text has no answer"))
        else answer.resolve(probabilities)
      }
    } catch (error) {
      for (const { answer } of group) answer.reject(error)
    }
  }
}

function groupsOf(waiting: readonly Waiting[]): readonly (readonly Waiting[])[] {
  const groups: Waiting[][] = []
  let [group, chars]: [Waiting[], number] = [[], 0]
  for (const each of waiting) {
    const isFull = group.length >= TEXTS_MAX || chars + each.placed.text.length > CHARS_MAX
    if (group.length === 0 || isFull) {
      group = []
      groups.push(group)
      chars = 0
    }
    group.push(each)
    chars += each.placed.text.length
  }
  return groups
}
