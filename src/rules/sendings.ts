/** What Gatekeeper searches (contract, section 2): the request raw, not decoded. */
export interface RawRequest {
  readonly url: string
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
}

const BROWSER = { host: "shop.example", accept: "*/*" } as const

/** `url body headers`, the headers as Python's `json.dumps` writes them. */
export function inspectedText({ url, body, headers }: RawRequest): string {
  const members = Object.entries(headers).map(([name, value]) => `${dumps(name)}: ${dumps(value)}`)
  return `${url} ${body} {${members.join(", ")}}`
}

/**
 * The ways in which a client may send a text that an application then reads as it is: in the query,
 * encoded or not, as a form, and as JSON; for a text found in a header, as that header.
 * @param location where the evidence found it, e.g. `query:q`, `header:referer`
 */
export function sendingsOf(text: string, location: string): readonly RawRequest[] {
  const [place = "", name = "q"] = location.split(":")
  if (place === "header" || place === "cookie") return [inHeader(text, { place, name })]
  const wellFormed = text.toWellFormed()
  const query = encodeURIComponent(wellFormed)
  if (place === "path") return [inUrl(`/${query}`), inUrl(`/${text}`)]
  return [
    inUrl(`/item?q=${query}`),
    inUrl(`/item?q=${text}`),
    inBody(`q=${query.replaceAll("%20", "+")}`, "application/x-www-form-urlencoded"),
    inBody(JSON.stringify({ q: text }), "application/json"),
  ]
}

function inUrl(url: string): RawRequest {
  return { url, body: "", headers: BROWSER }
}

function inBody(body: string, type: string): RawRequest {
  return { url: "/item", body, headers: { ...BROWSER, "content-type": type } }
}

function inHeader(text: string, { place, name }: { place: string; name: string }): RawRequest {
  const headers = place === "cookie" ? { cookie: `${name}=${text}` } : { [name]: text }
  return { url: "/", body: "", headers: { ...BROWSER, ...headers } }
}

/** Python escapes what JSON.stringify leaves: all beyond ASCII, and DEL. */
function dumps(text: string): string {
  const isPlain = /^[ -~]*$/
  const json = JSON.stringify(text)
  return isPlain.test(json) ? json : json.replace(/[^ -~]/g, escapeUnit)
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`
}
