import { openSimulationQueue } from "../../src/store/simulation-queue.ts"
import { simulationTask } from "../support/simulation-task.ts"

// Enqueues and takes as fast as it can; prints an id once its enqueue has resolved, until it is killed.
const queue = openSimulationQueue(process.argv[2] ?? "")
await queue.enqueue(simulationTask("leased", 9))
await queue.take({ max: 1, leaseMs: 3_600_000 })
for (let index = 0; ; index += 1) {
  await queue.enqueue(simulationTask(`${index}`))
  process.stdout.write(`${index}\n`)
}
