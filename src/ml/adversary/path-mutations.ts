import { word } from "../generators/vocabulary.ts"
import type { Random } from "../random.ts"
import { type Mutation, replacing, swapping } from "./mutation.ts"

/** Dot segments, separators and escapes that resolve to the same file. */
export const PATH_MUTATIONS: readonly Mutation[] = [
  swapping(/[/\\]/g, ["/", "\\", "//", "/./", "%2f", "%5c", "%252f", "/.//"]),
  swapping(/\.\.(?=[/\\%])/g, ["..", "%2e%2e", ".%2e", "%2e.", "%252e%252e"]),
  replacing(/[a-z.]/gi, percentEncode),
  replacing(/[a-z.]/gi, (random, letter) => percentEncode(random, letter).replace("%", "%25")),
  replacing(/^/g, (random) => `${word(random)}/../`),
  replacing(/^/g, () => "./"),
  replacing(/(?<=\.\.[/\\])/g, (random) => `${word(random)}/../`),
  replacing(/^(?:\.\.[/\\])+/g, (_, match) => `${match}../`),
  replacing(/(?:\.\.[/\\])+/g, (random, match) => match.repeat(random.between(1, 2))),
  replacing(/$/g, (random) => `%00.${random.pick(["jpg", "html", "png", "txt"])}`),
]

function percentEncode(random: Random, letter: string): string {
  const hex = letter.charCodeAt(0).toString(16)
  return `%${random.chance(0.5) ? hex : hex.toUpperCase()}`
}
