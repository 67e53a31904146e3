import type { Command } from "commander"
import type { PromoteOptions, RollbackOptions } from "./models.ts"
import { parseId, parseModelKind, parseSeed, parseShare, parseTier } from "./parse-arguments.ts"
import type { Run } from "./run.ts"
import type { Terminal } from "./terminal.ts"
import type { TrainOptions } from "./train.ts"

/** The commands that train models, look at them and change who answers. */
export function declareModels(
  program: Command,
  terminal: Terminal,
  choose: (run: Run) => void,
): void {
  program
    .command("train")
    .description("train a payload model, measure it and register it as a candidate")
    .option("--data <dir>", "labelled payloads to learn from beside the built-in generators")
    .option("--out <dir>", "write both models there instead, as they are shipped")
    .option("--only <model>", "payload or session", parseModelKind)
    .option("--tier <tier>", "of the payload model: linear or deep", parseTier)
    .option(
      "--seed <number>",
      "same seed, same bytes; default that of the shipped model",
      parseSeed,
    )
    .action((options: TrainOptions) =>
      choose(async () => (await import("./train.ts")).train(options, terminal)),
    )
  declareRegistry(program, terminal, choose)
  program
    .command("features")
    .description("print the table of session features")
    .action(() => choose(async () => (await import("./features.ts")).features(terminal)))
}

function declareRegistry(program: Command, terminal: Terminal, choose: (run: Run) => void): void {
  const models = program
    .command("models")
    .description("list the models at hand with their states, and change who answers")
    .option("--json", "print JSON instead of a table")
    .action((options: { json?: boolean }) =>
      choose(async () => (await import("./models.ts")).models(options, terminal)),
    )
  models
    .command("show")
    .description("print lineage, transitions, traffic and card of a model")
    .argument("<id>", "e.g. payload-linear/1.4.0", parseId)
    .action((id: string, _: object, command: Command) =>
      choose(async () =>
        (await import("./models.ts")).showModel(id, command.optsWithGlobals(), terminal),
      ),
    )
  models
    .command("promote")
    .description("give a model a share of the sessions; refused where it misses a gate")
    .argument("<id>", "e.g. payload-linear/1.2.1", parseId)
    .option(
      "--percent <share>",
      "0 = in the shadow, 100 = live (default), between = canary",
      parseShare,
    )
    .option("--auto", "go from 1 to 10 to 100 percent by itself, unless a guard trips")
    .option("--reason <text>", "kept among the transitions")
    .action((id: string, options: PromoteOptions) =>
      choose(async () => (await import("./models.ts")).promoteModel(id, options, terminal)),
    )
  models
    .command("rollback")
    .description("end a trial; without one, bring back the model that was live before")
    .option("--reason <text>", "kept among the transitions")
    .option("--deep", "take the second tier away instead")
    .action((options: RollbackOptions) =>
      choose(async () => (await import("./models.ts")).rollbackModel(options, terminal)),
    )
}
