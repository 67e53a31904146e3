import type { LoggedMessage } from "./broker.ts"
import type { World } from "./world.ts"

/** What must hold once the world has healed and the lag is zero; in Jepsen's words where it has one. */
export function findViolations(world: World): readonly string[] {
  return [
    ...world.violations,
    ...world.broker.violations,
    ...checkDelivery(world),
    ...checkOrder(world),
    ...checkStore(world),
  ]
}

function checkDelivery({ broker, isTransactional, hasMessageSinks }: World): readonly string[] {
  const found: string[] = []
  for (const record of broker.input.flat()) {
    const topic = record.fate === "good" ? "out" : "dead"
    const copies = broker.output.filter((message) => idOf(message) === record.id)
    const right = copies.filter((message) => message.topic === topic)
    if (right.length === 0) found.push(`lost write: ${record.id} is not in ${topic}`)
    // what was written is out when a later step refuses the record; what was staged is not
    const mayBeInBoth = record.fate === "doomed" && !hasMessageSinks
    if (right.length !== copies.length && !mayBeInBoth) found.push(`${record.id} is in both topics`)
    const contents = new Set(right.map(({ value }) => value))
    if (contents.size > 1) found.push(`aborted read: ${record.id} is there with other content`)
    if (isTransactional && copies.length > 1) {
      found.push(`duplicate: ${record.id} is there ${copies.length} times`)
    }
  }
  return found
}

/** The first copies of each key stand in the order of the input. */
function checkOrder({ broker }: World): readonly string[] {
  const found: string[] = []
  for (const records of broker.input) {
    const positions = new Map(records.map(({ id }, offset) => [id, offset]))
    const last = new Map<string, number>()
    const seen = new Set<string>()
    for (const message of broker.output) {
      const id = idOf(message)
      const position = positions.get(id)
      if (message.topic !== "out" || position === undefined || seen.has(id)) continue
      seen.add(id)
      const key = message.key ?? ""
      if ((last.get(key) ?? -1) > position) found.push(`order: ${id} of ${key} is late`)
      last.set(key, position)
    }
  }
  return found
}

function checkStore({ broker, store }: World): readonly string[] {
  const good = broker.input.flat().filter(({ fate }) => fate === "good")
  return good.flatMap(({ id }) => (store.values.has(id) ? [] : [`unseen: ${id} is not stored`]))
}

function idOf(message: LoggedMessage): string {
  return (JSON.parse(message.value) as { id: string }).id
}
