import { readFileSync } from "node:fs"

const PEAK_POLL_MS = 50

/**
 * Resident memory of a process at its highest, read again and again (Linux only, else NaN). The usage
 * of an ended child is of no use here: it is never below what its parent had when it was forked.
 */
export function watchPeak(pid: number) {
  const peak = { kibibytes: Number.NaN, stop: () => clearInterval(timer) }
  const timer = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${pid}/status`, "utf8")
      const [, high] = /^VmHWM:\s+(\d+) kB$/m.exec(status) ?? []
      if (high !== undefined) peak.kibibytes = Number(high)
    } catch {
      // it has ended
    }
  }, PEAK_POLL_MS)
  return peak
}
