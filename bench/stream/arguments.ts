/** What every client of the work is called with, in this order: peers in other languages too. */
export interface ClientArguments {
  readonly brokers: readonly string[]
  /** Records in the input topic: a client ends once it has finished so many. */
  readonly count: number
  readonly groupId: string
  readonly input: string
  readonly output: string
  readonly dead: string
}

export function readArguments(argv: readonly string[]): ClientArguments {
  const [brokers = "", count = "0", groupId = "", input = "", output = "", dead = ""] = argv
  return { brokers: brokers.split(","), count: Number(count), groupId, input, output, dead }
}

export function writeArguments(given: ClientArguments): readonly string[] {
  const { brokers, count, groupId, input, output, dead } = given
  return [brokers.join(","), String(count), groupId, input, output, dead]
}
