import { modelRegistryFile } from "../../src/store/model-registry.ts"

// Writes one state after the other and prints each revision once it is on disk, until it is killed.
const store = modelRegistryFile(process.argv[2] ?? "")
for (let revision = store.read()?.plan.revision ?? 0; ; revision += 1) {
  const live = `payload-linear/1.0.${revision}`
  const models = { [live]: { state: "live" as const, transitions: [] } }
  store.write({ plan: { revision, live, lastGood: undefined, trial: undefined }, models })
  process.stdout.write(`${revision}\n`)
}
