/** Processor time that `work` takes, in milliseconds: a busy machine lengthens the clock's, not this. */
export function cpuMsOf(work: () => unknown): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000
}
