import type { PayloadClass } from "../../events.ts"
import { escapedPath } from "./path-effect.ts"
import { runningScripts } from "./script-effect.ts"
import { injectedCommands } from "./shell-effect.ts"
import { sqlEffectCheck } from "./sql-effect.ts"

/** Longer texts are not attacked: every check below is at worst quadratic in the length. */
const EFFECT_CHARS_MAX = 2_000

/** Says whether a text still does what the attack that it was made from does. */
export type EffectCheck = (text: string) => boolean

/** Finds the effect of an attack, and with it a check for the texts that are made from it. */
type CheckOf = (attack: string) => EffectCheck | undefined

const CHECK_OF: Readonly<Partial<Record<PayloadClass, CheckOf>>> = {
  sql_injection: sqlEffectCheck,
  xss: sameAs(runningScripts),
  command_injection: sameAs(injectedCommands),
  path_traversal: sameAs(escapedPath),
}

/**
 * A check that a rewritten attack still works; undefined where this attack's own effect cannot be
 * seen here, such as that of SQL which SQLite does not speak.
 *
 * Nothing leaves the process: SQL runs in SQLite in memory, shell and markup are only read.
 */
export function effectCheck(label: PayloadClass, attack: string): EffectCheck | undefined {
  if (attack.length > EFFECT_CHARS_MAX) return undefined
  const check = CHECK_OF[label]?.(attack)
  return check && ((text) => text.length <= EFFECT_CHARS_MAX && check(text))
}

/** A text has the attack's effect where `effectOf` says the same of both. */
function sameAs(effectOf: (text: string) => string | undefined): CheckOf {
  return (attack) => {
    const effect = effectOf(attack)
    return effect === undefined ? undefined : (text) => effectOf(text) === effect
  }
}
