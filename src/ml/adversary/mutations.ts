import type { PayloadClass } from "../../events.ts"
import type { Random } from "../random.ts"
import { COMMAND_MUTATIONS } from "./command-mutations.ts"
import type { Mutation } from "./mutation.ts"
import { PATH_MUTATIONS } from "./path-mutations.ts"
import { SCRIPT_MUTATIONS } from "./script-mutations.ts"
import { SQL_MUTATIONS } from "./sql-mutations.ts"

const MUTATIONS: Readonly<
  Record<Exclude<PayloadClass, "benign" | "other_attack">, readonly Mutation[]>
> = {
  sql_injection: SQL_MUTATIONS,
  xss: SCRIPT_MUTATIONS,
  command_injection: COMMAND_MUTATIONS,
  path_traversal: PATH_MUTATIONS,
}

/** The text rewritten at one place, or unchanged where the drawn operator has nothing to change. */
export function mutate(random: Random, label: PayloadClass, text: string): string {
  const mutations = new Map(Object.entries(MUTATIONS)).get(label)
  return mutations === undefined ? text : random.pick(mutations)(random, text)
}
