import { PAYLOAD_KINDS, type PayloadClass, type PayloadKind } from "../../events.ts"
import type { LabelledPayload } from "../evaluation/labelled-payloads.ts"
import { Random } from "../random.ts"
import { BENIGN_CODE } from "./benign-code.ts"
import { BENIGN_DOCUMENTS } from "./benign-documents.ts"
import { BENIGN_FIELDS, queryString } from "./benign-fields.ts"
import { BENIGN_SHELL } from "./benign-shell.ts"
import { BENIGN_TECHNICAL } from "./benign-technical.ts"
import { commandInjection } from "./command-injection.ts"
import { crossSiteScripting } from "./cross-site-scripting.ts"
import { encode } from "./encodings.ts"
import { type Grammar, identifier, oneOf } from "./grammar.ts"
import { otherAttack } from "./other-attack.ts"
import { pathTraversal } from "./path-traversal.ts"
import { sqlInjection } from "./sql-injection.ts"
import { sentence, word } from "./vocabulary.ts"

/** Raise on every change of what the generators write: models name it as part of their data. */
export const GENERATOR_VERSION = 7

const ATTACKS: readonly (readonly [Exclude<PayloadClass, "benign">, Grammar])[] = [
  ["sql_injection", sqlInjection],
  ["xss", crossSiteScripting],
  ["command_injection", commandInjection],
  ["command_injection", commandInjection],
  ["path_traversal", pathTraversal],
  ["other_attack", otherAttack],
]
const ATTACK_SHARE = 0.4
const ENCODED_SHARE = 0.2
/** Attacks that stand somewhere in a longer ordinary text. */
const PADDED_SHARE = 0.08
/** Ordinary texts of several kinds in one, as long as a page. */
const LONG_SHARE = 0.03
const CHARS_MAX = 2000
const LONG_CHARS_MAX = 4096
const KIND_KNOWN_SHARE = 0.7
/** Most texts of a request are values. */
const BENIGN_FIELD_KINDS = [...PAYLOAD_KINDS, "param", "param", "param"] as const
const BENIGN_TEXTS: readonly Grammar[] = [
  ...BENIGN_DOCUMENTS,
  ...BENIGN_TECHNICAL,
  ...BENIGN_SHELL,
  ...BENIGN_CODE,
]

/**
 * Labelled payloads from the grammars: the same seed and count give the same list. Lazy, so any
 * count fits in memory. About two fifths are attacks.
 */
export function* generatePayloads(options: {
  readonly seed: number
  readonly count: number
}): Generator<LabelledPayload> {
  const random = new Random(options.seed)
  for (let index = 0; index < options.count; index++) {
    yield random.chance(ATTACK_SHARE) ? attack(random) : benign(random)
  }
}

function attack(random: Random): LabelledPayload {
  const [label, grammar] = random.pick(ATTACKS)
  const plain = grammar(random).slice(0, CHARS_MAX)
  const encoded = random.chance(ENCODED_SHARE) ? encode(random, plain) : plain
  const kind = random.pick([
    "param",
    "param",
    "param",
    "body",
    "header",
    "path",
    "cookie",
    "request",
    "request",
  ] as const)
  const text = embed(random, encoded, kind)
  const source = `generated/${label}`
  return { text: text.slice(0, LONG_CHARS_MAX), label, source, ...sometimes(random, kind) }
}

/** An attack is often the value of something: a parameter, a member, a sentence, a page. */
function embed(random: Random, text: string, kind: PayloadKind): string {
  if (random.chance(PADDED_SHARE)) return pad(random, text)
  if (kind === "request") return inRequest(random, text)
  if (kind === "body" && random.chance(0.15)) {
    return `{"${word(random)}":"${word(random)}","${identifier(random)}":${JSON.stringify(text)}}`
  }
  if (kind === "body" && random.chance(0.3)) return `${sentence(random)} ${text}`
  if (kind === "cookie" && random.chance(0.5)) return `${identifier(random)}=${text}`
  return text
}

/** One field of a query or form among ordinary ones, escaped as browsers do or not at all. */
function inRequest(random: Random, text: string): string {
  const escaped = random.chance(0.6) ? encodeURIComponent(text.toWellFormed()) : text
  const value = random.chance(0.4) ? escaped.replaceAll("%20", "+") : escaped
  const field = `${random.pick([word, identifier])(random)}=${value}`
  const before = random.chance(0.7) ? `${queryString(random)}&` : ""
  const after = random.chance(0.4) ? `&${queryString(random)}` : ""
  const path = random.chance(0.3) ? `/${word(random)}/${identifier(random)}.php?` : ""
  return `${path}${before}${field}${after}`
}

function pad(random: Random, text: string): string {
  const padding = longText(random, random.between(100, 1500))
  const at = random.below(padding.length)
  return `${padding.slice(0, at)}${random.pick(["", " ", "\n"])}${text}${padding.slice(at)}`
}

function benign(random: Random): LabelledPayload {
  if (random.chance(LONG_SHARE)) {
    const text = longText(random, random.between(500, LONG_CHARS_MAX))
    return { text, label: "benign", source: "generated/long", ...sometimes(random, "body") }
  }
  const document = random.chance(0.5)
  const kind = document
    ? random.pick(["body", "body", "param"] as const)
    : random.pick(BENIGN_FIELD_KINDS)
  const plain = oneOf(random, document ? BENIGN_TEXTS : BENIGN_FIELDS[kind]).slice(0, CHARS_MAX)
  const text = random.chance(ENCODED_SHARE) ? encode(random, plain) : plain
  const source = document ? "generated/documents" : "generated/fields"
  return {
    text: text.slice(0, LONG_CHARS_MAX),
    label: "benign",
    source,
    ...sometimes(random, kind),
  }
}

/** Ordinary texts and values, one after the other. */
function longText(random: Random, length: number): string {
  let text = ""
  while (text.length < length) {
    const kind = random.pick(BENIGN_FIELD_KINDS)
    const piece = oneOf(random, random.chance(0.6) ? BENIGN_TEXTS : BENIGN_FIELDS[kind])
    text += `${piece}${random.pick([" ", "\n", " ", "\n\n", "&", ", "])}`
  }
  return text.slice(0, length)
}

/** Who asks about a text does not always say where it stood. */
function sometimes(random: Random, kind: PayloadKind): { readonly kind?: PayloadKind } {
  return random.chance(KIND_KNOWN_SHARE) ? { kind } : {}
}
