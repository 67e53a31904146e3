import { parseArgs } from "node:util"
import { loadEngine, MUTATIONS, WORLD_MUTATIONS } from "./engine-copy.ts"
import { runSeed, type SeedResult } from "./run-seed.ts"

const TRACE_LINES = 300

/** `bun run simulate --seeds N --from S [--mutate NAME]`: exit code 1 at the first violation. */
export async function simulate(args: readonly string[], write: (text: string) => void) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: "string", default: "1000" },
      from: { type: "string", default: "1" },
      mutate: { type: "string" },
    },
  })
  const mutation = MUTATIONS.find(({ name }) => name === values.mutate)
  const worldMutation = WORLD_MUTATIONS.find(({ name }) => name === values.mutate)
  if (values.mutate !== undefined && (mutation ?? worldMutation) === undefined) {
    const names = [...MUTATIONS, ...WORLD_MUTATIONS].map(({ name }) => name)
    write(`no such mutation; one of: ${names.join(", ")}\n`)
    return 2
  }
  const modules = await loadEngine(mutation)
  const world = worldMutation?.world ?? {}
  const from = Number(values.from)
  const count = Number(values.seeds)
  for (let seed = from; seed < from + count; seed += 1) {
    const result = await runSeed({ seed, modules, world })
    if (result.violations.length > 0) {
      write(report(result, values.mutate))
      return 1
    }
  }
  write(`${count} seeds from ${from}: every record accounted for\n`)
  return 0
}

function report({ seed, violations, trace }: SeedResult, mutate: string | undefined): string {
  const replay = `bun run simulate --seeds 1 --from ${seed}${mutate ? ` --mutate ${mutate}` : ""}`
  return [
    ...trace.slice(-TRACE_LINES),
    ...violations.map((violation) => `VIOLATION  ${violation}`),
    `seed ${seed} fails; to replay it: ${replay}`,
    "",
  ].join("\n")
}

if (import.meta.main) {
  process.exit(await simulate(process.argv.slice(2), (text) => process.stdout.write(text)))
}
