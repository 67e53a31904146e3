import { identifier } from "../generators/grammar.ts"
import { sentence } from "../generators/vocabulary.ts"
import type { Random } from "../random.ts"
import { type Mutation, recasing, replacing, swapping } from "./mutation.ts"

/** A handler and an element on which it fires without a user, or on a common gesture. */
const CARRIERS = [
  ["img src=x", "onerror"],
  ["svg", "onload"],
  ["body", "onpageshow"],
  ["details open", "ontoggle"],
  ["input autofocus", "onfocus"],
  ["video><source", "onerror"],
  ["marquee", "onstart"],
  ["a href=#", "onclick"],
  ["div tabindex=1 autofocus", "onfocusin"],
  ["style", "onload"],
] as const

/** What keeps the script in markup the same: HTML's tokenizer, then JavaScript's. */
export const SCRIPT_MUTATIONS: readonly Mutation[] = [
  recasing(/(?<=<\/?)[a-z][\w-]*/gi),
  recasing(/\bon[a-z]{3,}(?=\s*=)/gi),
  recasing(/\bjavascript(?=:)/gi),
  swapping(/(?<=<[a-z][^<>]*)\s+(?=[a-z-]+\s*=)/gi, ["/", "\n", "\t", " / ", "\f", "  ", "//"]),
  replacing(/(?<=<[a-z]\w*)(?=[\s/>])/gi, (random) => ` ${harmlessAttribute(random)} `),
  replacing(/(?<=<[a-z]\w*)(?=[\s/>])/gi, (random) => `/${identifier(random)}/`),
  swapping(/(?<=on[a-z]{3,})=/gi, [" = ", "=\n", "\t=", "="]),
  replacing(/(?<=\bon[a-z]+\s*=\s*)"[^"<>]*"|(?<=\bon[a-z]+\s*=\s*)'[^'<>]*'/gi, requote),
  replacing(/(?<=\bon[a-z]+\s*=\s*)[^\s"'>][^\s>]*/gi, (_, script) => `"${script}"`),
  replacing(/<[a-z][^<>]*?\s*\bon[a-z]+(?=\s*=)/gi, otherCarrier),
  replacing(/(?<=(?:on[a-z]+\s*=\s*["']?|javascript:)[^<>]*)[a-z(]/gi, toReference),
  replacing(/(?<=javascript)(?=:)|(?<=java)(?=script:)/gi, (random) =>
    random.pick(["&Tab;", "&NewLine;", "&#9;", "\t", "\n"]),
  ),
  replacing(/\b(?:alert|confirm|prompt|eval)(?=\()/g, callDifferently),
  replacing(/\((\d{1,6})\)/g, (_, match) => `\`${match.slice(1, -1)}\``),
  replacing(/(?<=[;(=])(?=[a-z])/gi, (random) => `/*${identifier(random)}*/`),
  replacing(/\b(?:alert|confirm|prompt|eval|document)\b/g, unicodeEscape),
  replacing(/^/g, (random) => `${sentence(random)} `),
  replacing(/$/g, (random) => ` ${sentence(random)}`),
  replacing(/(?<=<script)(?=[\s/>])/gi, (random) => ` ${harmlessAttribute(random)}`),
  replacing(/<\/script>/gi, (random) => random.pick(["</script\t>", "</ScRiPt x>", "</script >"])),
  swapping(/(?<=\bsrc=)["']?[\w./:]*["']?(?=[\s>/])/gi, ["x", "1", "//a", "'a'", "/i.png"]),
]

function harmlessAttribute(random: Random): string {
  const name = random.pick(["class", "id", "title", "lang", "data-id", "alt", "name", "role"])
  return `${name}="${random.chance(0.5) ? sentence(random).replace(/["<>]/g, "") : identifier(random)}"`
}

function requote(random: Random, quoted: string): string {
  const script = quoted.slice(1, -1)
  const isBare = script !== "" && !/[\s"'=<>`]/.test(script)
  const quotes = ['"', "'"].filter((quote) => !script.includes(quote))
  if (isBare && random.chance(0.3)) return script
  const quote = quotes.length === 0 ? quoted[0] : random.pick(quotes)
  return `${quote}${script}${quote}`
}

function otherCarrier(random: Random): string {
  const [element, handler] = random.pick(CARRIERS)
  return `<${element} ${handler}`
}

function toReference(random: Random, character: string): string {
  const code = character.charCodeAt(0)
  return random.pick([`&#${code};`, `&#x${code.toString(16)};`, `&#0${code};`])
}

function callDifferently(random: Random, name: string): string {
  const cut = random.between(1, name.length - 1)
  return random.pick([
    `(${name})`,
    `window["${name}"]`,
    `top['${name.slice(0, cut)}'+'${name.slice(cut)}']`,
    `self.${name}`,
    `globalThis.${name}`,
    `parent["${name}"]`,
  ])
}

function unicodeEscape(random: Random, name: string): string {
  const at = random.below(name.length)
  const code = name.charCodeAt(at).toString(16).padStart(4, "0")
  return `${name.slice(0, at)}\\u${code}${name.slice(at + 1)}`
}
