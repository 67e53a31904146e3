import { ConfigInvalidError } from "../../errors.ts"
import type { Rule } from "../../rule.ts"
import { ruleMatcher } from "../rule-matcher.ts"
import { inspectedText } from "../sendings.ts"
import { type AddressRange, parseRange } from "./address-range.ts"

/** What no rule may touch, as the operator wrote it down. */
export interface NeverBlock {
  readonly paths: readonly string[]
  readonly params: readonly string[]
  readonly addresses: readonly AddressRange[]
}

export const NOTHING_PROTECTED: NeverBlock = { paths: [], params: [], addresses: [] }

const LINES_MAX = 10_000

/** Where the payload of a rule came in, as far as it is known. */
export interface RuleOrigin {
  /** e.g. `query:q` */
  readonly location: string
  readonly address?: string
}

/**
 * Reads lines `path PREFIX`, `param NAME` and `address CIDR`; `#` begins a comment.
 * @throws ConfigInvalidError that names each bad line by its number
 */
export function parseNeverBlock(text: string): NeverBlock {
  const list = { paths: [] as string[], params: [] as string[], addresses: [] as AddressRange[] }
  const problems: string[] = []
  const lines = text.split("\n")
  // a list that is cut would protect less than it says
  if (lines.length > LINES_MAX) {
    problems.push(`SENTINEL_NEVER_BLOCK_FILE: more than ${LINES_MAX} lines`)
  }
  for (const [index, line] of lines.slice(0, LINES_MAX).entries()) {
    const [kind = "", value = "", ...rest] = line.replace(/#.*/, "").trim().split(/\s+/)
    if (kind === "") continue
    if (rest.length > 0 || !addEntry(list, kind, value)) {
      problems.push(
        `SENTINEL_NEVER_BLOCK_FILE, line ${index + 1}: expected path PREFIX, param NAME or address CIDR`,
      )
    }
  }
  if (problems.length > 0) throw new ConfigInvalidError(problems)
  return list
}

function addEntry(
  list: { paths: string[]; params: string[]; addresses: AddressRange[] },
  kind: string,
  value: string,
): boolean {
  if (kind === "path" && value.startsWith("/")) list.paths.push(value)
  else if (kind === "param" && value !== "") list.params.push(value)
  else if (kind === "address") {
    const range = parseRange(value)
    if (range === undefined) return false
    list.addresses.push(range)
  } else return false
  return true
}

/**
 * Why the list speaks against a rule; empty = it does not.
 *
 * A pattern searches the whole request, so it is also held against requests that have nothing but a
 * protected path or name.
 */
export function protectionsFrom(
  { paths, params, addresses }: NeverBlock,
  rule: Rule,
  { location, address }: RuleOrigin,
): readonly string[] {
  const matches = ruleMatcher(rule.match)
  const isTouched = (request: { url?: string; body?: string }) =>
    matches(inspectedText({ url: "/", body: "", headers: {}, ...request }))
  const names = namesIn(location)
  return [
    ...paths
      .filter((prefix) => isTouched({ url: prefix }))
      .map((prefix) => `the path ${prefix} is never blocked`),
    ...params
      .filter((name) => names.has(name) || requestsWith(name).some(isTouched))
      .map((name) => `the parameter ${name} is never blocked`),
    ...addresses
      .filter((range) => address !== undefined && range.has(address))
      .map(({ text }) => `the addresses ${text} are never blocked`),
  ]
}

/** The name of a parameter, and those of the objects around it: `json:$.user.name`, `query:user[name]`. */
function namesIn(location: string): ReadonlySet<string> {
  const name = location.slice(location.indexOf(":") + 1)
  return new Set([name, ...name.split(/[.[\]]/)])
}

function requestsWith(name: string) {
  return [
    { url: `/?${name}=1` },
    { url: `/?a=1&${name}=1` },
    { body: `${name}=1` },
    { body: JSON.stringify({ [name]: "1" }) },
  ]
}
