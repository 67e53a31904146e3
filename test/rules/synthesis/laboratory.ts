import { type BenignCorpus, benignCorpus } from "../../../src/rules/benign/benign-corpus.ts"
import { makePattern } from "../../../src/rules/make-pattern.ts"
import { inspectedText, sendingsOf } from "../../../src/rules/sendings.ts"
import type { SimulatedClass } from "../../../src/twin-protocol.ts"

/** Whether a pattern finds a text in every way in which it may be sent as the parameter q. */
export function blocks(pattern: string, text: string): boolean {
  const regex = new RegExp(pattern, "u")
  return sendingsOf(text, "query:q").every((request) => regex.test(inspectedText(request)))
}

/** The pattern for an exploit, from relatives and benign texts that the test states. */
export function patternFor(
  label: SimulatedClass,
  payload: string,
  { relatives = [], benign = [] }: { relatives?: string[]; benign?: readonly string[] } = {},
): string {
  const corpora: readonly BenignCorpus[] = [benignCorpus("test", benign)]
  const task = { class: label, payload, minimised: undefined, location: "query:q" }
  const made = makePattern({ ...task, relatives, heldOut: [] }, { searched: corpora })
  return made?.pattern ?? ""
}
