import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { addCounts, readCounts, type TestCounts } from "./junit.ts"
import {
  installCommand,
  installServices,
  missingServices,
  startServices,
} from "./local-services.ts"
import { REPOSITORY } from "./repository.ts"
import type { Terminal } from "./terminal.ts"

const EMBEDDED_TIMEOUT_MS = 10 * 60_000
const INTEGRATION_TIMEOUT_MS = 15 * 60_000
/** Of one test that states none: against hanging, for no test fails by its time on a busy machine. */
const TEST_TIMEOUT_MS = 60_000

type Environment = Readonly<Record<string, string | undefined>>

interface TestRun {
  readonly env: Environment
  readonly reports: string
  readonly signal: AbortSignal
}

/**
 * Runs the embedded tests, then the integration tests of every service that is installed.
 * What is skipped is named; with `CI=true` all is installed first and a skip is a failure.
 *
 * @param paths only files whose path contains one of these; empty = all
 */
export async function test(paths: readonly string[], terminal: Terminal): Promise<number> {
  const files = await testFiles(paths)
  if (files.embedded.length + files.integration.length === 0) {
    terminal.note("no test file has one of these words in its path\n")
  }
  const stop = new AbortController()
  void terminal.stopRequested().then(() => stop.abort())
  const reports = await mkdtemp(join(tmpdir(), "sentinel-test-"))
  try {
    const run = { env: terminal.env, reports, signal: stop.signal }
    const embedded = await runFiles(files.embedded, EMBEDDED_TIMEOUT_MS, run)
    const integration = await runIntegration(files.integration, run, terminal)
    return await conclude(addCounts(embedded, integration), terminal)
  } finally {
    await rm(reports, { recursive: true, force: true })
  }
}

async function testFiles(
  paths: readonly string[],
): Promise<{ embedded: readonly string[]; integration: readonly string[] }> {
  const files: string[] = []
  for await (const file of new Bun.Glob("test/**/*.test.ts").scan(REPOSITORY)) {
    if (paths.length === 0 || paths.some((path) => file.includes(path))) files.push(`./${file}`)
  }
  files.sort()
  const isIntegration = (file: string) => file.endsWith(".integration.test.ts")
  return {
    embedded: files.filter((file) => !isIntegration(file)),
    integration: files.filter(isIntegration),
  }
}

/** One process for each file: what hangs in one cannot take the others with it. */
async function runIntegration(
  files: readonly string[],
  run: TestRun,
  terminal: Terminal,
): Promise<TestCounts> {
  let counts: TestCounts = { passed: 0, failed: 0, skipped: 0 }
  if (files.length === 0 || run.signal.aborted) return counts
  const { all, shared } = await servicesOf(files)
  if (isCi(run.env)) await installServices(all, run.env)
  const missing = await missingServices(all, run.env)
  const services = await startServices(shared, run.env)
  try {
    for (const file of files) {
      const inServices = { ...run, env: services.env }
      counts = addCounts(counts, await runFiles([file], INTEGRATION_TIMEOUT_MS, inServices))
    }
  } finally {
    await services.stop()
  }
  if (missing.length > 0) {
    terminal.note(
      `\nNot installed here: ${missing.join(", ")}. Tests that need them were skipped; ` +
        `to run them: ${installCommand(missing)}\n`,
    )
  }
  return counts
}

/**
 * The services that the files ask for: `requireService("...")` for one that they share,
 * `requireFreshServer("...")` for one that a file starts for itself.
 */
async function servicesOf(
  files: readonly string[],
): Promise<{ readonly all: readonly string[]; readonly shared: readonly string[] }> {
  const all = new Set<string>()
  const shared = new Set<string>()
  for (const file of files) {
    const source = await readFile(join(REPOSITORY, file), "utf8")
    const calls = /\brequire(Service|FreshServer)\(\s*"([a-z0-9-]{1,32})"/g
    for (const [, kind, name = ""] of source.matchAll(calls)) {
      all.add(name)
      if (kind === "Service") shared.add(name)
    }
  }
  return { all: [...all].sort(), shared: [...shared].sort() }
}

async function runFiles(
  files: readonly string[],
  timeoutMs: number,
  run: TestRun,
): Promise<TestCounts> {
  if (files.length === 0 || run.signal.aborted) return { passed: 0, failed: 0, skipped: 0 }
  const report = join(run.reports, `${crypto.randomUUID()}.xml`)
  const reporter = ["--reporter=junit", `--reporter-outfile=${report}`]
  // a process for each core; each keeps what its files import, as one process for all of them would
  const processes = ["--parallel", "--no-isolate"]
  const options = ["--no-env-file", `--timeout=${TEST_TIMEOUT_MS}`, ...processes, ...reporter]
  const child = Bun.spawn([process.execPath, "test", ...options, ...files], {
    cwd: REPOSITORY,
    env: { ...run.env },
    // bun reports on stderr; a test's own output must not mix with the result line.
    stdio: ["ignore", 2, 2],
    timeout: timeoutMs,
    killSignal: "SIGKILL",
    signal: run.signal,
  })
  return await readCounts(report, await child.exited)
}

async function conclude(counts: TestCounts, terminal: Terminal): Promise<number> {
  const isSkipFailure = isCi(terminal.env) && counts.skipped > 0
  if (counts.skipped > 0) {
    terminal.note(`${counts.skipped} skipped${isSkipFailure ? ": a failure with CI=true" : ""}\n`)
  }
  const failed = counts.failed + (isSkipFailure ? counts.skipped : 0)
  await terminal.write(`${counts.passed} passed, ${failed} failed\n`)
  return failed === 0 && counts.passed > 0 ? 0 : 1
}

function isCi(env: Environment): boolean {
  return env.CI === "true"
}
