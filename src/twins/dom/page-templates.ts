/** A page as a careless program builds it, with the payload in its place. */
export interface PageTemplate {
  /** The context, with `/url-decoded` behind it where the program decodes once more. */
  readonly name: string
  readonly isUrlDecoded: boolean
  /** With `@` where the payload goes. */
  readonly markup: string
  /**
   * Where the payload stands in a string of the page's own script: without a match of this it cannot
   * leave it.
   */
  readonly leaves?: RegExp
  /**
   * What the program does for safety: `quotes` puts a backslash before quotes, and forgets that one may
   * stand there already; `markup` escapes for an attribute, and forgets that it holds a page.
   */
  readonly escapes?: "quotes" | "markup"
}

type MarkupContext = Pick<PageTemplate, "markup" | "escapes">

const MARKUP_CONTEXTS: Readonly<Record<string, MarkupContext>> = {
  body: { markup: "<p>Results for @</p>" },
  "attribute-unquoted": { markup: "<input name=q value=@>" },
  "attribute-single": { markup: "<input name='q' value='@'>" },
  "attribute-double": { markup: '<input name="q" value="@">' },
  href: { markup: '<a href="@">Profile</a>' },
  src: { markup: '<iframe src="@"></iframe>' },
  "src-image": { markup: '<img src="@" alt="photo">' },
  srcdoc: { markup: '<iframe srcdoc="@"></iframe>', escapes: "markup" },
  style: { markup: "<style>p { color: @ }</style>" },
  "style-attribute": { markup: '<p style="color: @">text</p>' },
  comment: { markup: "<!-- @ --><p>text</p>" },
  title: { markup: "<title>@</title>" },
  textarea: { markup: "<textarea>@</textarea>" },
  "json-block": { markup: '<script type="application/json">{"q": "@"}</script>' },
}

type ScriptContext = Required<Pick<PageTemplate, "markup" | "leaves">> &
  Pick<PageTemplate, "escapes">

const SCRIPT_CONTEXTS: Readonly<Record<string, ScriptContext>> = {
  "event-handler-single": {
    markup: `<button onclick="show('@')">Show</button>`,
    leaves: /['"\\\n\r&]/,
  },
  "event-handler-double": {
    markup: `<button onclick='show("@")'>Show</button>`,
    leaves: /['"\\\n\r&]/,
  },
  "script-single": {
    markup: "<script>var query = '@'; show(query)</script>",
    leaves: /['\\\n\r]|<[/!s]/i,
  },
  "script-single-escaped": {
    markup: "<script>var query = '@'; show(query)</script>",
    leaves: /\\'|<[/!s]/i,
    escapes: "quotes",
  },
  "script-double": {
    markup: '<script>var query = "@"; show(query)</script>',
    leaves: /["\\\n\r]|<[/!s]/i,
  },
  "script-double-escaped": {
    markup: '<script>var query = "@"; show(query)</script>',
    leaves: /\\"|<[/!s]/i,
    escapes: "quotes",
  },
  "script-template": {
    markup: "<script>var query = `@`; show(query)</script>",
    leaves: /[`\\]|\$\{|<[/!s]/i,
  },
  "json-script": {
    markup: '<script>var data = {"query": "@", "page": 1}; show(data)</script>',
    leaves: /["\\\n\r]|<[/!s]/i,
  },
  "json-argument": {
    markup: '<script>show({"query": "@", "page": 1})</script>',
    leaves: /["\\\n\r]|<[/!s]/i,
  },
}

const PAGE_START = "<!doctype html><html><head><script>function show() {}</script></head><body>"

const CONTEXTS: readonly Omit<PageTemplate, "isUrlDecoded">[] = [
  ...Object.entries(MARKUP_CONTEXTS).map(([name, context]) => ({ name, ...context })),
  ...Object.entries(SCRIPT_CONTEXTS).map(([name, context]) => ({ name, ...context })),
]

export const PAGE_TEMPLATES: readonly PageTemplate[] = [
  ...CONTEXTS.map((context) => ({ ...context, isUrlDecoded: false })),
  ...CONTEXTS.map((context) => {
    return { ...context, name: `${context.name}/url-decoded`, isUrlDecoded: true }
  }),
]

/** The page as the browser gets it. */
export function fillPage(template: PageTemplate, value: string): string {
  return fillPages([template], value)
}

/** The contexts of several templates in one page. */
export function fillPages(templates: readonly PageTemplate[], value: string): string {
  const filled = templates.map(({ markup, escapes }) =>
    markup.replace("@", () => escapeValue(value, escapes)),
  )
  return `${PAGE_START}${[...new Set(filled)].join("")}</body></html>`
}

function escapeValue(value: string, escapes: PageTemplate["escapes"]): string {
  if (escapes === "quotes") return value.replace(/['"]/g, "\\$&")
  return escapes === "markup" ? value.replaceAll("&", "&amp;").replaceAll('"', "&quot;") : value
}
