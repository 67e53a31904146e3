/** Where a careless page puts a text: between tags, or in an attribute's value. */
const TEMPLATES = ["<p>@</p>", '<input value="@">', "<input value='@'>", "<p title=@>"] as const

const TAGS_MAX = 200
/** Attributes whose `javascript:` URL runs when the element is used. */
const URL_ATTRIBUTES = new Set(["href", "src", "action", "formaction", "data", "xlink:href"])
const NAMED: Readonly<Record<string, string>> = {
  ...{ quot: '"', apos: "'", amp: "&", lt: "<", gt: ">", lpar: "(", rpar: ")", colon: ":" },
  ...{ tab: "\t", newline: "\n", sol: "/", grave: "`", period: ".", semi: ";", comma: "," },
}

/**
 * The scripts that run, or can be made to by a user, where the text stands in a page: contents of
 * script elements, event handlers and `javascript:` URLs, decoded and in one spelling. Undefined
 * where it brings none of them into any of the usual contexts.
 *
 * @see HTML, 13.2.5 Tokenization; read, never run
 */
export function runningScripts(text: string): string | undefined {
  for (const [index, template] of TEMPLATES.entries()) {
    const scripts = scriptsOf(template.replace("@", () => text))
    if (scripts.length > 0) return `${index}:${JSON.stringify(scripts)}`
  }
  return undefined
}

interface Tag {
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
  /** Where its content starts. */
  readonly end: number
}

function scriptsOf(markup: string): readonly string[] {
  const found: string[] = []
  let at = 0
  for (let count = 0; count < TAGS_MAX; count++) {
    const tag = nextTag(markup, at)
    if (tag === undefined) break
    at = tag.end
    if (tag.name === "script") {
      const content = /^([\s\S]*?)(?:<\/script|$)/i.exec(markup.slice(at))?.[1] ?? ""
      at += content.length
      if (!tag.attributes.has("src")) found.push(canonicalScript(content))
    }
    found.push(...attributeScripts(tag))
  }
  return found.filter((script) => script !== "")
}

function attributeScripts({ name, attributes }: Tag): readonly string[] {
  return [...attributes].flatMap(([attribute, value]) => {
    const decoded = decodeReferences(value)
    if (/^on[a-z]{3,}$/.test(attribute)) return [canonicalScript(decoded)]
    if (attribute === "src" && name === "script") return [`load ${decoded.trim()}`]
    if (attribute === "srcdoc") return scriptsOf(decoded)
    if (!URL_ATTRIBUTES.has(attribute)) return []
    // URL, 4.4: tabs and newlines anywhere and controls in front are dropped
    const url = decoded.replace(/[\t\n\r]/g, "").replace(/^[\0-\x20]+/, "")
    const script = /^javascript:([\s\S]*)$/i.exec(url)?.[1]
    return script === undefined ? [] : [canonicalScript(decodePercent(script))]
  })
}

/** The next start tag at or behind `from`; what stands in comments is skipped. */
function nextTag(markup: string, from: number): Tag | undefined {
  const opening = /<!--[\s\S]*?-->|<([a-z][^\s/>]*)/gi
  opening.lastIndex = from
  for (let match = opening.exec(markup); match !== null; match = opening.exec(markup)) {
    if (match[1] === undefined) continue
    return readAttributes(markup, match[1].toLowerCase(), opening.lastIndex)
  }
  return undefined
}

function readAttributes(markup: string, name: string, from: number): Tag {
  const attributes = new Map<string, string>()
  const attribute =
    /[\s/]*(?:(>)|([^\s/>=][^\s/>=]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"'][^\s>]*))?)?)/y
  let at = from
  for (let count = 0; count < TAGS_MAX; count++) {
    attribute.lastIndex = at
    const match = attribute.exec(markup)
    if (match === null) break
    at = attribute.lastIndex
    if (match[1] !== undefined) break
    const key = (match[2] ?? "").toLowerCase()
    if (!attributes.has(key)) attributes.set(key, match[3] ?? match[4] ?? match[5] ?? "")
  }
  return { name, attributes, end: at }
}

function decodeReferences(text: string): string {
  return text.replace(
    /&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|([a-z]{2,8}));?/gi,
    (whole, hex, dec, name) => {
      if (name !== undefined) return NAMED[String(name).toLowerCase()] ?? whole
      const code = hex === undefined ? Number(dec) : Number.parseInt(hex, 16)
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole
    },
  )
}

function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** One spelling for scripts that differ in blanks, comments, escapes and ways to name a call. */
function canonicalScript(script: string): string {
  return script
    .replace(/\\u\{?([0-9a-f]{4})\}?/gi, (_, code: string) =>
      String.fromCharCode(Number.parseInt(code, 16)),
    )
    .replace(/\/\*.*?\*\//gs, "")
    .replace(/(['"])\s*\+\s*\1/g, "")
    .replace(/\b(?:window|self|top|globalThis|parent|frames)\[(['"])(\w+)\1\]/g, "$2")
    .replace(/\b(?:window|self|top|globalThis|parent|frames)\./g, "")
    .replace(/\((\w+)\)(?=[(`])/g, "$1")
    .replace(/`([^`$]*)`/g, (_, inside: string) => `(${inside})`)
    .replace(/[\s;]+/g, "")
    .replace(/^void/, "")
}
