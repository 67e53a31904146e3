import { identifier } from "../generators/grammar.ts"
import { sentence, word } from "../generators/vocabulary.ts"
import type { Random } from "../random.ts"
import { type Mutation, replacing, swapping } from "./mutation.ts"

/** Blanks and nothings of an unset or known variable, as a shell writes them. */
const BLANK = "$" + "{IFS}"
const NOTHINGS = ["''", '""', "\\", "$@", "$*", "$9", "$" + "{x}", "$" + "{u}"] as const
const WORD = /(?<![$\\{\w'"])[a-z]{2,}(?![\w'"}=])/g

/** Quoting, expansion and separators that leave a shell's words as they were. */
export const COMMAND_MUTATIONS: readonly Mutation[] = [
  swapping(/[ \t]+/g, [BLANK, "$IFS$9", "\t", "  ", ` ${BLANK}`, "$IFS"]),
  replacing(WORD, insertNothing),
  replacing(WORD, (random, name) => random.pick([`'${name}'`, `"${name}"`, `\\${name}`])),
  replacing(WORD, ansiString),
  replacing(/\/(?:bin|usr|etc)\/[\w/-]+/g, toGlob),
  replacing(/(?<=\/)\w+(?=\/)/g, (_, name) => `${name}/.`),
  swapping(/(?<![|&<>;])[;|&\n](?![|&;])/g, [";", "\n", " | ", "&", " ; ", "|"]),
  replacing(/`[^`]*`/g, (_, match) => `$(${match.slice(1, -1)})`),
  replacing(/\$\([^()`]*\)/g, (_, match) => `\`${match.slice(2, -1)}\``),
  replacing(/(?<=[;|&\n(])/g, (random) => random.pick([" ", "\t", "  ", "\n"])),
  replacing(/[a-z/.-]+ [a-z/.-]+(?=$|[;|&)`])/gi, (_, match) => `{${match.replace(" ", ",")}}`),
  replacing(/$/g, (random) => ` #${sentence(random)}`),
  replacing(/^/g, (random) => `${random.pick([word, identifier, sentence])(random)} `),
  replacing(/^/g, (random) => random.pick(["127.0.0.1", "8.8.8.8", "a", "1", "x.txt"])),
]

function insertNothing(random: Random, name: string): string {
  const at = random.between(1, name.length - 1)
  return `${name.slice(0, at)}${random.pick(NOTHINGS)}${name.slice(at)}`
}

function ansiString(random: Random, name: string): string {
  const codes = Array.from(name, (letter) => {
    const code = letter.charCodeAt(0)
    return random.chance(0.5) ? `\\x${code.toString(16)}` : `\\${code.toString(8).padStart(3, "0")}`
  })
  return `$'${codes.join("")}'`
}

function toGlob(random: Random, path: string): string {
  return path.replace(/\w/g, (letter) => (random.chance(0.4) ? "?" : letter))
}
