import { Command, CommanderError } from "commander"
import packageDocument from "../../package.json"
import { publicError, SentinelError } from "../errors.ts"
import type { AuditVerifyOptions } from "./audit.ts"
import type { LetterOptions, RedriveOptions } from "./dead-letters.ts"
import { declareModels } from "./declare-models.ts"
import { declareRules } from "./declare-rules.ts"
import type { EvaluateOptions } from "./evaluate.ts"
import {
  parseCount,
  parseErrors,
  parseHash,
  parseId,
  parsePort,
  parseReason,
  parseSeed,
  parseSimulated,
} from "./parse-arguments.ts"
import { benchSuites } from "./repository.ts"
import type { Run } from "./run.ts"
import type { SimulateOptions } from "./simulate.ts"
import type { Terminal } from "./terminal.ts"
import type { TopologyOptions } from "./topology.ts"

export const EXIT = { ok: 0, refused: 1, usage: 2 } as const

/**
 * Runs one command line, without the program's own name.
 *
 * @returns the exit code: 0 done, 1 refused or failed, 2 not understood
 */
export async function runCommandLine(args: readonly string[], terminal: Terminal): Promise<number> {
  let run: Run | undefined
  const program = await buildProgram(terminal, (chosen) => {
    run = chosen
  })
  try {
    program.parse([...args], { from: "user" })
    return run === undefined ? EXIT.usage : await run()
  } catch (error) {
    return explainFailure(error, terminal)
  }
}

function explainFailure(error: unknown, terminal: Terminal): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  if (error instanceof SentinelError) {
    const { code, message } = publicError(error)
    terminal.note(`sentinel: ${code}: ${message}\n`)
    return EXIT.refused
  }
  // A bug of ours: whoever reports it needs the stack. An import that does not link has none.
  const text = error instanceof Error ? (error.stack ?? String(error)) : String(error)
  terminal.note(`sentinel: INTERNAL: ${text}\n`)
  return EXIT.refused
}

/** Declares every command; each imports its module only when it is chosen, so that all start fast. */
async function buildProgram(terminal: Terminal, choose: (run: Run) => void): Promise<Command> {
  const program = new Command("sentinel")
    .description("Sentinel turns honeypot evidence into explained verdicts.")
    .version(packageDocument.version)
    .helpCommand("help [command]", "show the help of a command")
    .showHelpAfterError("(sentinel --help lists the commands, COMMAND --help the options of one)")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void terminal.write(text),
      writeErr: (text) => terminal.note(text),
    })
  declareServers(program, terminal, choose)
  declareWorker(program, terminal, choose)
  declareAnalysis(program, terminal, choose)
  declareModels(program, terminal, choose)
  declareOperations(program, terminal, choose)
  declareAudit(program, terminal, choose)
  declareAlerts(program, terminal, choose)
  declareSandbox(program, terminal, choose)
  declareRules(program, terminal, choose)
  declareTools(program, terminal, choose)
  await declareBench(program, terminal, choose)
  return program
}

function declareServers(program: Command, terminal: Terminal, choose: (run: Run) => void): void {
  const modes = [
    ["start", "run the pipeline and the API in one process"],
    ["serve", "run the API alone"],
    ["process", "run the pipeline alone, with /health and /metrics"],
  ] as const
  for (const [mode, description] of modes) {
    program
      .command(mode)
      .description(description)
      .action(() => choose(async () => (await import("./run-server.ts")).runServer(mode, terminal)))
  }
}

/** Not for people: what `SENTINEL_API_WORKERS` starts. */
function declareWorker(program: Command, terminal: Terminal, choose: (run: Run) => void): void {
  program
    .command("worker", { hidden: true })
    .requiredOption("--port <port>", "of the API; 0 = any free one", parsePort)
    .action(({ port }: { port: number }) =>
      choose(async () => (await import("./run-worker.ts")).runWorker(port, terminal)),
    )
}

function declareAnalysis(program: Command, terminal: Terminal, choose: (run: Run) => void): void {
  program
    .command("analyze")
    .description("judge evidence documents: one JSON line each on stdout, in input order")
    .argument(
      "<file...>",
      ".json, .jsonl, .jsonl.gz, .tar.gz or .har; - reads JSON lines from stdin",
    )
    .action((files: string[]) =>
      choose(async () => (await import("./analyze.ts")).analyze(files, terminal)),
    )
  program
    .command("classify")
    .description("classify payloads: JSON lines with `text` in, the same lines with a class out")
    .option("--in <file>", "read from a file, gzip by name", "-")
    .option("--out <file>", "write to a file, gzip by name", "-")
    .action((options: { in: string; out: string }) =>
      choose(async () => (await import("./classify.ts")).classify(options, terminal)),
    )
  program
    .command("simulate")
    .description("try one payload in the sandbox and prove what it does")
    .argument("<file>", "its bytes are the payload; - reads stdin")
    .option(
      "--class <class>",
      "what it attacks; default: the likeliest attack, also where the model says benign",
      parseSimulated,
    )
    .option("--location <place>", "where it stood, e.g. query:q, cookie:theme", "")
    .option("--json", "print JSON instead of text")
    .action((file: string, options: SimulateOptions) =>
      choose(async () => (await import("./simulate.ts")).simulate(file, options, terminal)),
    )
  program
    .command("evaluate")
    .description("measure the models on labelled payloads (JSON lines) and sessions")
    .argument("[data...]", "JSON lines with `text` and `label`, gzip by name")
    .option("--without <source...>", "leave sources out, as those that the model was trained on")
    .option(
      "--sessions <file>",
      "labelled sessions: JSON lines with `truth` and `evidence`, or `session_id` of evidence beside",
    )
    .option(
      "--generate <count>",
      "judge generated sessions instead, a third of each truth",
      parseCount,
    )
    .option("--seed <number>", "seed of samples, intervals and generated sessions", parseSeed, 1)
    .option("--errors <count>", "list so many of the worst errors of each sort", parseErrors, 10)
    .option("--report <dir>", "write a page with charts, the charts and the figures there")
    .option("--json", "print JSON instead of tables")
    .action((data: string[], options: EvaluateOptions) =>
      choose(async () => (await import("./evaluate.ts")).evaluate(data, options, terminal)),
    )
}

function declareOperations(program: Command, terminal: Terminal, choose: (run: Run) => void): void {
  program
    .command("topology")
    .description("print the dataflow and its guarantees; of a running server also what it does")
    .option("--mermaid", "print a Mermaid diagram")
    .option("--json", "print JSON")
    .option("--live", "keep watching the running server, on a terminal")
    .action((options: TopologyOptions) =>
      choose(async () => (await import("./topology.ts")).topology(options, terminal)),
    )
  const letters = program
    .command("dead-letters")
    .description("list, show and redrive the records that could not be judged")
  const filtered = (name: string) =>
    letters
      .command(name)
      .option("--code <code>", "only letters whose last failure has this code")
      .option("--since <time>", "only failures since then: ISO 8601 or epoch milliseconds")
      .option("--limit <count>", "at most so many letters", parseCount, 100)
      .option("--json", "print JSON instead of text")
  filtered("list")
    .description("list dead letters, newest first")
    .action((options: LetterOptions) =>
      choose(async () => (await import("./dead-letters.ts")).listDeadLetters(options, terminal)),
    )
  letters
    .command("show")
    .description("print a dead letter and its original bytes")
    .argument("<id>", "id, or the beginning of it that list shows", parseId)
    .option("--json", "print JSON, the bytes as base64")
    .action((id: string, options: { json?: boolean }) =>
      choose(async () => (await import("./dead-letters.ts")).showDeadLetter(id, options, terminal)),
    )
  filtered("redrive")
    .description("put records back where they came from, unchanged; each once unless --again")
    .argument("[id...]", "these letters; without any, --code, --since or --all says which")
    .option("--all", "every letter, up to --limit")
    .option("--again", "also letters that were put back before")
    .action((ids: string[], options: RedriveOptions) =>
      choose(async () =>
        (await import("./dead-letters.ts")).redriveDeadLetters(ids, options, terminal),
      ),
    )
}

function declareAudit(program: Command, terminal: Terminal, choose: (run: Run) => void): void {
  program
    .command("audit")
    .description("the log of everything that the sandbox did")
    .command("verify")
    .description(
      "check every entry, beside a running server too; exit code 1 names the first wrong line",
    )
    .option("--head <hash>", "a hash noted earlier, or its first 13 digits or more", parseHash)
    .option("--json", "print JSON instead of text")
    .action((options: AuditVerifyOptions) =>
      choose(async () => (await import("./audit.ts")).verifyAuditLog(options, terminal)),
    )
}

function declareAlerts(program: Command, terminal: Terminal, choose: (run: Run) => void): void {
  program
    .command("alerts")
    .description("whom Sentinel tells of attacks")
    .command("test")
    .description("send a test alert to the webhook and to Kafka, whichever is configured")
    .action(() => choose(async () => (await import("./alerts.ts")).sendTestAlert(terminal)))
}

function declareSandbox(program: Command, terminal: Terminal, choose: (run: Run) => void): void {
  const sandbox = program
    .command("sandbox")
    .description("build what payloads are tried in, look at it, stop it at once")
  sandbox
    .command("panic")
    .description("destroy everything in it now; nothing runs until resume; needs no server")
    .option("--reason <text>", "for the audit log", parseReason, "asked for on the command line")
    .option("--json", "print JSON")
    .action((options: { reason: string; json?: boolean }) =>
      choose(async () => (await import("./sandbox-control.ts")).panicSandbox(options, terminal)),
    )
  sandbox
    .command("resume")
    .description("let it run again after a panic")
    .action(() =>
      choose(async () => (await import("./sandbox-control.ts")).resumeSandbox(terminal)),
    )
  sandbox
    .command("status")
    .description("print driver, pool and whether a panic is on")
    .option("--json", "print JSON")
    .action((options: { json?: boolean }) =>
      choose(async () => (await import("./sandbox-control.ts")).showSandbox(options, terminal)),
    )
  sandbox
    .command("build")
    .description("build the image from this machine's own programs, without a registry")
    .option("--list", "list what is in it")
    .option("--json", "print JSON")
    .action((options: { list?: boolean; json?: boolean }) =>
      choose(async () => (await import("./sandbox.ts")).buildSandbox(options, terminal)),
    )
}

function declareTools(program: Command, terminal: Terminal, choose: (run: Run) => void): void {
  program
    .command("doctor")
    .description("tell what is configured, reachable and missing, and what to do about it")
    .action(() => choose(async () => (await import("./doctor.ts")).doctor(terminal)))
  program
    .command("test")
    .description("run every test that this machine can run (CI=true: all, or fail)")
    .argument("[path...]", "only test files whose path contains one of these")
    .action((paths: string[]) =>
      choose(async () => (await import("./test.ts")).test(paths, terminal)),
    )
}

/** Each suite is a command of its own, so an unknown one is refused with the nearest name. */
async function declareBench(
  program: Command,
  terminal: Terminal,
  choose: (run: Run) => void,
): Promise<void> {
  const bench = program
    .command("bench")
    .usage("SUITE [--quick] [--json]")
    .description("measure one suite and keep the result under bench/results")
  for (const suite of await benchSuites()) {
    bench
      .command(suite)
      .description(`measure the suite ${suite}`)
      .option("--quick", "a coarse answer within a minute")
      .option("--json", "print JSON instead of a table")
      .action((options: { quick?: boolean; json?: boolean }) =>
        choose(async () => (await import("./bench.ts")).bench(suite, options, terminal)),
      )
  }
}
