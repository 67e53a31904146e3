import { publicError } from "../../src/errors.ts"
import { openVerdictStore } from "../../src/store/verdict-store.ts"
import { explainedVerdict } from "./verdicts.ts"

// Writes until the store refuses, prints the code of the refusal, and reads what it was given first.
const store = openVerdictStore(process.argv[2] ?? "")
const content = "x".repeat(10_000)
for (let event = 0; event < 1_000; event += 1) {
  try {
    await store.put(explainedVerdict(`event-${event}`, { content }))
  } catch (error) {
    const held = store.byEvent("event-0")?.verdict.event_id
    process.stdout.write(`${publicError(error).code} after ${event > 0} ${held}`)
    process.exit(0)
  }
}
