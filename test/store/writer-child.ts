import { openVerdictStore } from "../../src/store/verdict-store.ts"
import { explainedVerdict } from "./verdicts.ts"

// Writes as fast as it can and prints an id only once its put has resolved, until it is killed.
const store = openVerdictStore(process.argv[2] ?? "")
const prefix = process.argv[3] ?? ""
for (let batch = 0; ; batch += 1) {
  const ids = Array.from({ length: 16 }, (_, index) => `${prefix}-${batch}-${index}`)
  await Promise.all(
    ids.map(async (id) => {
      await store.put(explainedVerdict(id, { content: id }))
      process.stdout.write(`${id}\n`)
    }),
  )
}
