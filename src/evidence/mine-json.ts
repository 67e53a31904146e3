import { isJsonObject } from "./field-reader.ts"
import { type PayloadCollector, shortened } from "./payload-collector.ts"

/** Deeper values are cut, and said to be. */
const MINED_DEPTH_MAX = 64
const NODES_MAX = 20_000
const KEY_CHARS_MAX = 64
const PLAIN_KEY = /^[\w.\- ]{0,64}$/
const FRAGMENT_STRINGS_MAX = 500

/** Adds every string of a parsed JSON value at `json:<JSONPath>`, and odd keys at `json-key:`. */
export function mineJson(value: unknown, collector: PayloadCollector): void {
  new JsonMiner(collector).mine(value, "$", 0)
}

class JsonMiner {
  readonly #collector: PayloadCollector
  #nodes = 0

  constructor(collector: PayloadCollector) {
    this.#collector = collector
  }

  mine(value: unknown, path: string, depth: number): void {
    if (typeof value === "string") this.#collector.add(value, "param", `json:${path}`)
    else if (typeof value === "object" && value !== null) this.#mineMembers(value, path, depth)
  }

  #mineMembers(value: object, path: string, depth: number): void {
    if (depth >= MINED_DEPTH_MAX || this.#nodes > NODES_MAX) {
      this.#collector.truncated = true
      return
    }
    if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) {
        this.#nodes += 1
        this.mine(item, `${path}[${index}]`, depth + 1)
      }
    } else if (isJsonObject(value)) {
      for (const [key, member] of Object.entries(value)) this.#mineMember(key, member, path, depth)
    }
  }

  #mineMember(key: string, member: unknown, path: string, depth: number): void {
    this.#nodes += 1
    if (!PLAIN_KEY.test(key)) this.#collector.add(key, "param", `json-key:${path}`)
    this.mine(member, `${path}.${shortened(key, KEY_CHARS_MAX)}`, depth + 1)
  }
}

/**
 * Adds the string values of a text that begins as JSON and is broken or cut off, each at
 * `json:$..<last key>`.
 */
export function mineJsonFragment(text: string, collector: PayloadCollector): void {
  let key = ""
  let at = text.indexOf('"')
  for (let found = 0; at !== -1 && found < FRAGMENT_STRINGS_MAX; found += 1) {
    const end = closingQuote(text, at + 1)
    const content = unescaped(text.slice(at + 1, end))
    if (/^\s{0,8}:/.test(text.slice(end + 1, end + 10))) key = shortened(content, KEY_CHARS_MAX)
    else collector.add(content, "param", `json:$..${key}`)
    at = text.indexOf('"', end + 1)
  }
  if (at !== -1) collector.truncated = true
}

/** The index of the quote that ends the string, or of the end of the text. */
function closingQuote(text: string, start: number): number {
  for (let at = start; at < text.length; at += 1) {
    if (text[at] === "\\") at += 1
    else if (text[at] === '"') return at
  }
  return text.length
}

function unescaped(content: string): string {
  if (!content.includes("\\")) return content
  try {
    return String(JSON.parse(`"${content}"`))
  } catch {
    return content
  }
}
