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
  /** The program puts a backslash before quotes, and forgets that one may stand there already. */
  readonly escapesQuotes?: true
}

const MARKUP_CONTEXTS = {
  body: "<p>Results for @</p>",
  "attribute-unquoted": "<input name=q value=@>",
  "attribute-single": "<input name='q' value='@'>",
  "attribute-double": '<input name="q" value="@">',
  href: '<a href="@">Profile</a>',
  src: '<iframe src="@"></iframe>',
  "src-image": '<img src="@" alt="photo">',
  srcdoc: '<iframe srcdoc="@"></iframe>',
  style: "<style>p { color: @ }</style>",
  "style-attribute": '<p style="color: @">text</p>',
  comment: "<!-- @ --><p>text</p>",
  title: "<title>@</title>",
  textarea: "<textarea>@</textarea>",
  "json-block": '<script type="application/json">{"q": "@"}</script>',
} as const

type ScriptContext = Required<Pick<PageTemplate, "markup" | "leaves">> &
  Pick<PageTemplate, "escapesQuotes">

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
    escapesQuotes: true,
  },
  "script-double": {
    markup: '<script>var query = "@"; show(query)</script>',
    leaves: /["\\\n\r]|<[/!s]/i,
  },
  "script-double-escaped": {
    markup: '<script>var query = "@"; show(query)</script>',
    leaves: /\\"|<[/!s]/i,
    escapesQuotes: true,
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
  ...Object.entries(MARKUP_CONTEXTS).map(([name, markup]) => ({ name, markup })),
  ...Object.entries(SCRIPT_CONTEXTS).map(([name, context]) => ({ name, ...context })),
]

export const PAGE_TEMPLATES: readonly PageTemplate[] = [
  ...CONTEXTS.map((context) => ({ ...context, isUrlDecoded: false })),
  ...CONTEXTS.map((context) => {
    return { ...context, name: `${context.name}/url-decoded`, isUrlDecoded: true }
  }),
]

/** The page as the browser gets it. */
export function fillPage({ markup, escapesQuotes }: PageTemplate, value: string): string {
  const text = escapesQuotes ? value.replace(/['"]/g, "\\$&") : value
  return `${PAGE_START}${markup.replace("@", () => text)}</body></html>`
}
