import { PAYLOAD_KINDS, type PayloadClass, type PayloadKind } from "../../events.ts"
import type { LabelledPayload } from "../evaluation/labelled-payloads.ts"
import { BENIGN_DOCUMENTS } from "./benign-documents.ts"
import { BENIGN_FIELDS } from "./benign-fields.ts"
import { commandInjection } from "./command-injection.ts"
import { crossSiteScripting } from "./cross-site-scripting.ts"
import { encode } from "./encodings.ts"
import { type Grammar, identifier, oneOf } from "./grammar.ts"
import { pathTraversal } from "./path-traversal.ts"
import { Random } from "./random.ts"
import { sqlInjection } from "./sql-injection.ts"
import { sentence, word } from "./vocabulary.ts"

/** Raise on every change of what the generators write: models name it as part of their data. */
export const GENERATOR_VERSION = 3

const ATTACKS: readonly (readonly [Exclude<PayloadClass, "benign">, Grammar])[] = [
  ["sql_injection", sqlInjection],
  ["xss", crossSiteScripting],
  ["command_injection", commandInjection],
  ["command_injection", commandInjection],
  ["path_traversal", pathTraversal],
]
const ATTACK_SHARE = 0.4
const ENCODED_SHARE = 0.15
const CHARS_MAX = 2000
const KIND_KNOWN_SHARE = 0.7
/** Most texts of a request are values. */
const BENIGN_FIELD_KINDS = [...PAYLOAD_KINDS, "param", "param", "param"] as const

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
  const plain = grammar(random)
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
  ] as const)
  const text = embed(random, encoded, kind)
  const source = `generated/${label}`
  return { text: text.slice(0, CHARS_MAX), label, source, ...sometimes(random, kind) }
}

/** An attack is often the value of something: a parameter, a member, a sentence. */
function embed(random: Random, text: string, kind: PayloadKind): string {
  if (kind === "request") {
    return `${identifier(random)}=${word(random)}&${word(random)}=${encodeURIComponent(text.toWellFormed())}`
  }
  if (kind === "body" && random.chance(0.3)) return `${sentence(random)} ${text}`
  if (kind === "cookie" && random.chance(0.5)) return `${identifier(random)}=${text}`
  return text
}

function benign(random: Random): LabelledPayload {
  const document = random.chance(0.4)
  const kind = document
    ? random.pick(["body", "body", "param"] as const)
    : random.pick(BENIGN_FIELD_KINDS)
  const plain = oneOf(random, document ? BENIGN_DOCUMENTS : BENIGN_FIELDS[kind])
  const text = random.chance(ENCODED_SHARE) ? encode(random, plain) : plain
  const source = document ? "generated/documents" : "generated/fields"
  return { text: text.slice(0, CHARS_MAX), label: "benign", source, ...sometimes(random, kind) }
}

/** Who asks about a text does not always say where it stood. */
function sometimes(random: Random, kind: PayloadKind): { readonly kind?: PayloadKind } {
  return random.chance(KIND_KNOWN_SHARE) ? { kind } : {}
}
