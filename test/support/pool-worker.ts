interface Task {
  readonly word: "double" | "throw" | "wait"
  readonly number: number
}

const WAIT_MS = 50

/** What a test has a thread do. */
// biome-ignore lint/style/noDefaultExport: what a worker pool loads is a default export
export default async function work({ word, number }: Task): Promise<number> {
  if (word === "throw") throw new RangeError(`${number} is thrown`)
  if (word === "double") return 2 * number
  await Bun.sleep(WAIT_MS)
  return number
}
