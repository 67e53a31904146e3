import answerWell, { type SecondTierOrder } from "../../src/compose/models/second-tier-worker.ts"

export const SLOW_TEXT = "be slow about this"
export const CRASH_TEXT = "die of this"
const SLOW_MS = 300

/** The real worker, save that one text holds the thread up and another one ends it. */
// biome-ignore lint/style/noDefaultExport: what a worker pool loads is a default export
export default function answer(order: SecondTierOrder) {
  const has = (wanted: string) => order.texts.some(({ text }) => text === wanted)
  if (has(SLOW_TEXT)) Bun.sleepSync(SLOW_MS)
  if (has(CRASH_TEXT)) process.exit(1)
  return answerWell(order)
}
