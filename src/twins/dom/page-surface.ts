import { isEventHandler } from "./event-handlers.ts"

const ELEMENTS_MAX = 2_000
/** Attributes whose `javascript:` URL runs when the element is used, by element. */
const URL_ATTRIBUTES: ReadonlyMap<string, readonly string[]> = new Map([
  ["a", ["href", "xlink:href"]],
  ["area", ["href"]],
  ["form", ["action"]],
  ["button", ["formaction"]],
  ["input", ["formaction"]],
  ["object", ["data"]],
  ["embed", ["src"]],
])
/** The attribute that names the page inside, by element. */
const FRAMES: ReadonlyMap<string, string> = new Map([
  ["iframe", "src"],
  ["frame", "src"],
  ["object", "data"],
  ["embed", "src"],
])
const ANIMATIONS = new Set(["animate", "set"])

/** What of a page can run, or be made to run, a script. */
export interface PageSurface {
  readonly handlers: readonly { element: Element; name: string; code: string }[]
  /** `javascript:` URLs that a click or a form reaches. */
  readonly links: readonly { element: Element; code: string }[]
  /** Pages inside: `srcdoc` and `data:` URLs. */
  readonly frames: readonly string[]
  /** Scripts from elsewhere, by address. */
  readonly remoteScripts: readonly string[]
  /** Code that jsdom leaves alone: scripts inside SVG, modules, and those of `data:` URLs. */
  readonly codes: readonly string[]
  /** Script elements and `javascript:` frames, which jsdom runs by itself. */
  readonly scripts: number
  /** Its content is read another way where scripts run. */
  readonly hasNoScript: boolean
}

/** @param pageUrl where the page is, which a parsed text does not know */
export function readSurface(document: Document, pageUrl: string): PageSurface {
  const elements = [...document.querySelectorAll("*")].slice(0, ELEMENTS_MAX)
  const sources = elements.filter(isScriptElement).map((element) => sourceOf(element))
  return {
    handlers: elements.flatMap(handlersOf),
    links: elements.flatMap(linksOf),
    frames: elements.flatMap(frameOf),
    remoteScripts: sources.filter((source) => isElsewhere(source, pageUrl)),
    codes: [
      ...sources.flatMap((source) => dataOf(source)?.text ?? []),
      ...elements.filter(isForeignScript).map((element) => element.textContent ?? ""),
    ],
    scripts: elements.filter((element) => isScriptElement(element) || runsAsFrame(element)).length,
    hasNoScript: elements.some(({ localName }) => localName === "noscript"),
  }
}

function handlersOf(element: Element) {
  return [...element.attributes]
    .filter(({ name }) => isEventHandler(name, element.localName))
    .map(({ name, value }) => ({ element, name, code: value }))
}

function linksOf(element: Element) {
  const isMath = element.namespaceURI?.endsWith("MathML") === true
  const attributes = isMath ? ["href", "xlink:href"] : (URL_ATTRIBUTES.get(element.localName) ?? [])
  return [...attributes.map((name) => element.getAttribute(name)), ...animatedLinks(element)]
    .flatMap((url) => scriptOfUrl(url ?? ""))
    .map((code) => ({ element, code }))
}

/** `<animate attributeName=href values=javascript:...>` inside of a link. */
function animatedLinks(element: Element): readonly (string | null)[] {
  const isOfLink = /^(?:xlink:)?href$/i.test(element.getAttribute("attributeName") ?? "")
  if (!ANIMATIONS.has(element.localName) || !isOfLink) return []
  const values = (element.getAttribute("values") ?? "").split(";").slice(0, 20)
  return [element.getAttribute("to"), element.getAttribute("from"), ...values]
}

function runsAsFrame(element: Element): boolean {
  const isFrame = element.localName === "iframe" || element.localName === "frame"
  return isFrame && scriptOfUrl(element.getAttribute("src") ?? "").length > 0
}

function frameOf(element: Element): readonly string[] {
  const srcdoc = element.localName === "iframe" ? element.getAttribute("srcdoc") : null
  if (srcdoc !== null) return [srcdoc]
  const attribute = FRAMES.get(element.localName)
  const data = dataOf(attribute === undefined ? "" : (element.getAttribute(attribute) ?? ""))
  return data !== undefined && /html|svg|xml/.test(data.mediaType) ? [data.text] : []
}

/** Not of a data block. @see HTML, 4.12.1 The script element, type */
function isScriptElement(element: Element): boolean {
  const type = element.getAttribute("type") ?? ""
  return element.localName === "script" && /^\s*$|javascript|ecmascript|jscript|module/i.test(type)
}

function isForeignScript(element: Element): boolean {
  const isModule = /^\s*module\s*$/i.test(element.getAttribute("type") ?? "")
  const isOfImage = element.namespaceURI?.endsWith("svg") === true
  return isScriptElement(element) && (isModule || isOfImage)
}

function sourceOf(element: Element): string {
  const attributes = ["src", "href", "xlink:href"].map((name) => element.getAttribute(name))
  return attributes.find((value) => value !== null) ?? ""
}

function isElsewhere(source: string, pageUrl: string): boolean {
  const url = source === "" ? null : URL.parse(source, pageUrl)
  return url !== null && /^https?:$/.test(url.protocol) && url.host !== new URL(pageUrl).host
}

/** The code of a `javascript:` URL, none for another one. @see HTML, 7.4.2.2 javascript: URLs */
function scriptOfUrl(url: string): readonly string[] {
  const parsed = URL.parse(url)
  if (parsed?.protocol !== "javascript:") return []
  return [decodePercent(parsed.href.slice("javascript:".length))]
}

/** @see RFC 2397 */
function dataOf(url: string): { readonly mediaType: string; readonly text: string } | undefined {
  const parsed = URL.parse(url)
  const [, mediaType = "", isBase64, body = ""] =
    /^data:([^,;]{0,100})(?:;[^,;]{0,100}?)*?(;base64)?,(.*)$/is.exec(parsed?.href ?? "") ?? []
  if (parsed?.protocol !== "data:") return undefined
  const text = decodePercent(body)
  return {
    mediaType: mediaType.toLowerCase(),
    text: isBase64 === undefined ? text : Buffer.from(text, "base64").toString(),
  }
}

function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
