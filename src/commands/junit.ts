import { readFile } from "node:fs/promises"

/** What one `bun test` process did, counted over its JUnit report. */
export interface TestCounts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

const NOTHING_RUN: TestCounts = { passed: 0, failed: 0, skipped: 0 }

export function addCounts(one: TestCounts, other: TestCounts): TestCounts {
  return {
    passed: one.passed + other.passed,
    failed: one.failed + other.failed,
    skipped: one.skipped + other.skipped,
  }
}

/**
 * Reads the totals of a JUnit report as bun writes it. A process that failed without a failed
 * test in its report (it crashed, hung, or a file did not load) counts as one failure.
 */
export async function readCounts(reportPath: string, exitCode: number): Promise<TestCounts> {
  const report = await readFile(reportPath, "utf8").catch(() => "")
  const counts = parseCounts(report)
  return exitCode !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts
}

/** The attributes of the report's `<testsuites>` element; all zero where there is none. */
export function parseCounts(report: string): TestCounts {
  const head = /<testsuites ([^>]{0,500})>/.exec(report)?.[1]
  if (head === undefined) return NOTHING_RUN
  const attribute = (name: string) =>
    Number(new RegExp(`\\b${name}="(\\d{1,9})"`).exec(head)?.[1] ?? 0)
  const failed = attribute("failures") + attribute("errors")
  const skipped = attribute("skipped")
  return { passed: attribute("tests") - failed - skipped, failed, skipped }
}
