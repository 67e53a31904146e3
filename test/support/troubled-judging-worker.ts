import answerWell, { type JudgingOrder } from "../../src/compose/judging-worker.ts"

/** The session whose evidence ends a thread. */
export const DEADLY_SESSION = "die of this"

/** The real worker, save that one session ends the thread. */
// biome-ignore lint/style/noDefaultExport: what a worker pool loads is a default export
export default function answer(order: JudgingOrder) {
  if (order.evidence.some(({ sessionId }) => sessionId === DEADLY_SESSION)) process.exit(1)
  return answerWell(order)
}
