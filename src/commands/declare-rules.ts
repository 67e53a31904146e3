import { type Command, Option } from "commander"
import { RULE_STATES, type RuleState } from "../rule.ts"
import {
  parseCount,
  parseId,
  parseReason,
  parseReviewer,
  parseRuleState,
} from "./parse-arguments.ts"
import type { ApplyOptions, ListOptions, ReviewOptions } from "./rules.ts"
import type { Run } from "./run.ts"
import type { Terminal } from "./terminal.ts"
import type { LineReading, TestRulesOptions } from "./test-rules.ts"

const REVIEWS = [
  ["approve", "have Gatekeeper enforce it; also one that was rejected or is over"],
  ["reject", "take it out and keep it from coming back; it stays listed with the note"],
  ["expire", "take it out, right as it was; only approve brings it back"],
] as const

/** The commands that show WAF rules and decide about them. */
export function declareRules(
  program: Command,
  terminal: Terminal,
  choose: (run: Run) => void,
): void {
  const rules = program
    .command("rules")
    .description("list the WAF rules that were made, review them, take them out again")
  rules
    .command("list")
    .description("list rules, newest first")
    .option("--state <state>", RULE_STATES.join(", "), parseRuleState)
    .option("--limit <count>", "at most so many rules", parseCount, 100)
    .option("--json", "print JSON lines instead of a table")
    .action((options: ListOptions) =>
      choose(async () => (await import("./rules.ts")).listRules(options, terminal)),
    )
  rules
    .command("show")
    .description("print a rule, what it was made from, what was measured, and its history")
    .argument("<id>", "e.g. sentinel-sqli-0123456789abcdef", parseId)
    .option("--json", "print JSON instead of text")
    .action((id: string, options: { json?: boolean }) =>
      choose(async () => (await import("./rules.ts")).showRule(id, options, terminal)),
    )
  declareReviews(rules, terminal, choose)
  declareTest(rules, terminal, choose)
  named(rules.command("apply").description("ask the policy about a stored rule once more"))
    .argument("<id>", "of the rule", parseId)
    .option("--force", "apply it, whatever the policy says")
    .action((id: string, options: ApplyOptions) =>
      choose(async () => (await import("./rules.ts")).applyRule(id, options, terminal)),
    )
  rules
    .command("export")
    .description("print the decided rules for another WAF")
    .option("--state <state>", "those in this state instead", parseRuleState)
    .addOption(
      new Option("--format <format>", "seclang: ModSecurity 3 and Coraza")
        .choices(["seclang"])
        .default("seclang"),
    )
    .action((options: { state?: RuleState }) =>
      choose(async () => (await import("./rules.ts")).exportRules(options, terminal)),
    )
  rules
    .command("drift")
    .description("compare with Gatekeeper now and heal; exit code 1 where it differed")
    .option("--json", "print JSON instead of text")
    .action((options: { json?: boolean }) =>
      choose(async () => (await import("./rules.ts")).showDrift(options, terminal)),
    )
}

const READINGS: readonly LineReading[] = ["text", "request", "value"]

function declareTest(rules: Command, terminal: Terminal, choose: (run: Run) => void): void {
  rules
    .command("test")
    .description("hold rules against your own traffic; exit code 1 where one matches a line")
    .argument("<file>", "lines, gzip by name; - reads stdin")
    .option("--rule <id>", "this one, decided or not; default: all that are decided", parseId)
    .addOption(
      new Option(
        "--as <reading>",
        "what a line is: text as it came over the wire, a request as JSON, or a parameter's value",
      )
        .choices(READINGS)
        .default("text"),
    )
    .option("--json", "print JSON lines instead of text")
    .action((file: string, options: TestRulesOptions) =>
      choose(async () => (await import("./test-rules.ts")).testRules(file, options, terminal)),
    )
}

function declareReviews(rules: Command, terminal: Terminal, choose: (run: Run) => void): void {
  for (const [word, description] of REVIEWS) {
    reviewed(
      rules.command(word).description(description).argument("<id>", "of the rule", parseId),
    ).action((ruleId: string, options: ReviewOptions) =>
      choose(async () =>
        (await import("./rules.ts")).reviewRule({ ruleId, word }, options, terminal),
      ),
    )
  }
  reviewed(rules.command("withdraw").description("take every rule of Sentinel out of Gatekeeper"))
    .requiredOption("--all", "all of them: a single one is expired or rejected")
    .action((options: ReviewOptions) =>
      choose(async () => (await import("./rules.ts")).withdrawRules(options, terminal)),
    )
}

function reviewed(command: Command): Command {
  return named(command).option("--json", "print JSON instead of text")
}

function named(command: Command): Command {
  return command
    .option("--reviewer <name>", "who decides; default: the user of this terminal", parseReviewer)
    .option("--note <text>", "why; kept in the history", parseReason)
}
